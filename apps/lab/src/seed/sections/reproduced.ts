import { rate, ratio } from "../../report/format.ts";
import { countText, spreadText } from "../format.ts";
import { ROW_KINDS, type Reproduction, type RowKind } from "../report.ts";
import { latencyCells, LATENCY_HEAD } from "./latency.ts";
import type { Section } from "./section.ts";

const KIND_TEXT: Readonly<Record<RowKind, string>> = {
  new: "new series",
  update: "updates of one",
  updateSpread: "updates of all",
};

/** Part 1 as text. */
export function reproducedSection(
  given: Readonly<Record<"baseline" | "best", Reproduction>>,
  rowsPerRound: number,
): Section {
  const names = ["baseline", "best"] as const;
  const { baseline, best } = given;
  return {
    title: "The discrepancy",
    about: [
      `Single \`write(labels, time, value)\` calls, ${countText(rowsPerRound)} a round, each round into a fresh store. ` +
        "A rate covers every call and the flush at the end, so all rows are **durable** when the clock stops. " +
        `A returned call means *${baseline.acknowledges}* in the baseline and *${best.acknowledges}* in the best composition.`,
    ],
    tables: [
      {
        caption: "Rates: median of all rounds [lowest–highest process]",
        head: ["rows", "durable after flush", "accepted, flush left out"],
        rows: names.flatMap((name) =>
          ROW_KINDS.map((kind) => [
            `${name}, ${KIND_TEXT[kind]}`,
            spreadText(given[name].perSecond[kind]),
            spreadText(given[name].acceptedPerSecond[kind]),
          ]),
        ),
      },
      {
        caption: "Latency of one call, beside a loop of pure arithmetic with the same median",
        head: ["rows", ...LATENCY_HEAD],
        rows: names.flatMap((name) => [
          ...ROW_KINDS.map((kind) => [
            `${name}, ${KIND_TEXT[kind]}`,
            ...latencyCells(given[name].latency[kind]),
          ]),
          [
            `${name}, ${countText(given[name].million.rows)} new`,
            ...latencyCells(given[name].million),
          ],
        ]),
      },
    ],
    notes: [
      `In the baseline an update is ${ratio(baseline.ratio)} as fast as a new series; in the best composition ${ratio(best.ratio)}.`,
      longNote("baseline", baseline),
      longNote("best composition", best),
      "A tail below the noise floor of the same run is the machine's, not the code's, and is not claimed.",
    ],
  };
}

function longNote(name: string, { million }: Reproduction): string {
  const said = `One long round of the ${name}: ${countText(million.rows)} new series at ${rate(million.newPerSecond)}`;
  return million.bounded
    ? `${said}; bounded by time, because a file for each of a million series takes minutes.`
    : `${said}.`;
}
