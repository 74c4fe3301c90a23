import { micros, rate } from "../../report/format.ts";
import { countText } from "../format.ts";
import { latencyCells, LATENCY_HEAD } from "./latency.ts";
import type { OpenBatchResult, SustainedResult } from "../report.ts";
import type { Section } from "./section.ts";

/** Part 5 as text. */
export function sustainedSection(results: readonly SustainedResult[]): Section {
  const first = results[0];
  const size =
    first === undefined
      ? ""
      : `${countText(first.series)} series, ${countText(first.samples / first.series)} samples each, `;
  return {
    title: "Removed, or only moved?",
    about: [
      `Every block manager in an otherwise best composition: ${size}scrape by scrape, so that all chunks become full in the ` +
        "same scrape, more than twice. Calls are acknowledged as *accepted*; `drained` counts until all is durable and no full chunk waits to be written.",
    ],
    tables: [
      {
        caption: "One call",
        head: ["block manager", ...LATENCY_HEAD],
        rows: results.map((each) => [each.blockManager, ...latencyCells(each)]),
      },
      {
        caption: "The whole",
        head: [
          "block manager",
          "accepted",
          "drained",
          "drain",
          "sealed",
          "persisted",
          "in a call",
          "writes",
        ],
        rows: results.map((each) => [
          each.blockManager,
          rate(each.writesPerSecond.median),
          rate(each.drainedPerSecond.median),
          micros(each.drainMs * 1000),
          countText(each.chunksSealed),
          countText(each.chunksPersisted),
          countText(each.persistedInAppend),
          countText(each.writes),
        ]),
      },
    ],
    notes: [],
  };
}

/** The size of the open batch as text. */
export function openBatchSection(results: readonly OpenBatchResult[]): Section {
  return {
    title: "The size of the open batch",
    about: [
      "New series in the best composition, by how many of them close the open batch. The call that fills the batch " +
        "pays for all of its rows, so one call in that many is the tail; calls are acknowledged as *accepted*.",
    ],
    tables: [
      {
        head: ["new rows", "rate", ...LATENCY_HEAD],
        rows: results.map((each) => [
          countText(each.newRowsPerClose),
          rate(each.newPerSecond.median),
          ...latencyCells(each),
        ]),
      },
    ],
    notes: [],
  };
}
