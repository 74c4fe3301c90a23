import type { CellResult } from "../cell/result.ts";

/** What the figures of a table are medians of. An interrupted run leaves cells with fewer than others. */
export function basisOf(results: readonly CellResult[]): string {
  const bases = new Set(
    results.flatMap(({ status, samples, samplesAre }) =>
      status === "ok" ? [`${samples.length} ${samplesAre}`] : [],
    ),
  );
  const [basis, ...others] = bases;
  if (others.length > 0) return "Medians of the repeats, or rounds, that each cell finished";
  return basis === "1 rounds" ? "Figures of a single round" : `Medians of ${basis}`;
}
