import { measureTurn } from "../../peers/ingest/measure.ts";
import { openIngestStore } from "../../peers/ingest/store.ts";
import { rateOf } from "../../peers/ingest/turn.ts";
import type { WorkName as IngestName } from "../../peers/ingest/works.ts";
import type { RowSpec, Work } from "../work.ts";

const M = 1_000_000;

/** The works of `pnpm run peers` that only varve does here. */
const WAYS: Readonly<Record<string, IngestName>> = {
  labels: "updates-labels",
  handle: "updates-handle",
  batch: "updates-batch",
  many: "updates-many",
};

/** Rates of updates, by how series are named. */
export const updates: Work = {
  about:
    "rows for 10,000 known series, scrape after scrape, each of which has one sample before; maintenance is on; the clock " +
    "stops when the last row is written to the file",
  durability: "written in groups, not synced for each row or batch",
  tasks: () => Object.keys(WAYS).map((id) => ({ id })),
  rows: ({ manySeries }) => [
    row("labels", "by label object", 1.2 * M, 2 * M),
    row("handle", "by prepared labels", 8 * M, 15 * M),
    row("batch", "by batch of 1,000 handles", 15 * M, 30 * M),
    {
      what: `by batch, ${manySeries.toLocaleString("en")} series`,
      unit: "rows/s",
      task: "many",
      figure: "rate",
    },
  ],
  measure: async (task, { sizes, dir }) => {
    const { seed, updates: rows, manySeries } = sizes;
    const report = await measureTurn(
      {
        work: WAYS[task]!,
        store: "varve",
        sizes: { seed, scrapes: 0, newSeries: manySeries, updates: rows },
        dir,
      },
      openIngestStore,
    );
    return { rate: rateOf(report), rows: report.rows };
  },
};

function row(task: string, what: string, must: number, aim: number): RowSpec {
  return {
    what,
    unit: "rows/s",
    task,
    figure: "rate",
    must: { op: ">=", limit: must },
    aim: { op: ">=", limit: aim },
  };
}
