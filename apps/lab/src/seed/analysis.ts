import type { CellResult, NoiseFloor, Latency as CellLatency } from "../cell/result.ts";
import { verdict } from "../stats/verdict.ts";
import type {
  CriterionResult,
  FixResult,
  Gain,
  Latency,
  LatencyOverFloor,
  PredictionResult,
  Reproduction,
  SuspectResult,
} from "./report.ts";
import { SUSPECTS, type Suspect } from "./suspects.ts";

/** A tail within this factor of the noise floor may be the machine's. */
export const FLOOR_FACTOR = 1.5;

/** A cell that did not come to figures: the message says which, and why. */
export class CellFailure extends Error {
  override readonly name = "CellFailure";
}

/** A cell's result, all figures there. Throws CellFailure when the cell failed or never ran. */
export function measured(result: CellResult): CellResult & {
  readonly rate: NonNullable<CellResult["rate"]>;
  readonly acceptedRate: NonNullable<CellResult["acceptedRate"]>;
} {
  if (result.status !== "ok" || result.rate === null || result.acceptedRate === null) {
    throw new CellFailure(`${result.spec.id}: ${result.status}: ${result.reasons.join("; ")}`);
  }
  return result as ReturnType<typeof measured>;
}

/** Percentiles in microseconds, named by their unit. */
export function latencyOf(latency: CellLatency | NoiseFloor | null): Latency {
  const { p50 = 0, p99 = 0, p999 = 0, max = 0 } = latency ?? {};
  return { p50Us: p50, p99Us: p99, p999Us: p999, maxUs: max };
}

/** A cell's latency beside its noise floor. */
export function latencyOverFloor(result: CellResult): LatencyOverFloor {
  return { ...latencyOf(result.latency), noiseFloor: latencyOf(result.noiseFloor) };
}

/** What a change bought: rates with it against rates without it. */
export function gainOf(before: CellResult, after: CellResult): Gain {
  return {
    ...verdict(measured(before).samples, measured(after).samples),
    perSecond: measured(after).rate,
  };
}

/** A suspect's measurement, without its rank, which all of them decide. */
export type Unranked = Omit<SuspectResult, "rank">;

/** Ranks suspects by what they gain for new series; 1 gains most. */
export function rank(results: readonly Unranked[]): SuspectResult[] {
  return results
    .toSorted((a, b) => b.new.ratio - a.new.ratio)
    .map((result, i) => ({ ...result, rank: i + 1 }));
}

/** Changes in the order in which the waterfall adds them: what gains most comes first. */
export function byEffect(fixes: readonly FixResult[]): FixResult[] {
  return fixes.toSorted((a, b) => b.new.ratio - a.new.ratio);
}

/** Confirms or refutes each prediction by the share of the baseline's time for a new row. */
export function judgePredictions(share: (suspect: Suspect) => number): PredictionResult[] {
  return SUSPECTS.map((suspect) => {
    const measuredPercent = share(suspect);
    return {
      suspect: suspect.title,
      predicted: suspect.predicted,
      fromPercent: suspect.fromPercent,
      untilPercent: suspect.untilPercent,
      measuredPercent,
      confirmed: measuredPercent >= suspect.fromPercent && measuredPercent <= suspect.untilPercent,
    };
  });
}

/** The six success criteria of the question. */
export function judgeCriteria(baseline: Reproduction, best: Reproduction): CriterionResult[] {
  const rate = (id: string, text: string, key: RateKey, limit: number): CriterionResult =>
    judgeRate({ id, text, limit, baseline: baseline[key], best: best[key] });
  return [
    rate("new-50k", "new series > 50 K/s", "newPerSecond", 50_000),
    rate("new-100k", "later: new series > 100 K/s", "newPerSecond", 100_000),
    rate("update-200k", "updates > 200 K/s", "updatePerSecond", 200_000),
    rate("update-300k", "later: updates > 300 K/s", "updatePerSecond", 300_000),
    judgeTail("p99-20us", "P99 of a new-series write < 20 µs", 20, baseline, best, "rounds"),
    judgeTail("p99-10us", "later: P99 of a new-series write < 10 µs", 10, baseline, best, "rounds"),
  ];
}

/** What the best composition has to reach on this machine, in rounds and in the long round. */
export function judgeTargets(baseline: Reproduction, best: Reproduction): CriterionResult[] {
  return [
    judgeRate({
      id: "best-new",
      text: "new series > 150 K/s",
      limit: 150_000,
      baseline: baseline.newPerSecond,
      best: best.newPerSecond,
    }),
    judgeRate({
      id: "best-new-million",
      text: "new series > 150 K/s, in one long round",
      limit: 150_000,
      baseline: baseline.million.newPerSecond,
      best: best.million.newPerSecond,
    }),
    judgeRate({
      id: "best-update",
      text: "updates > 500 K/s",
      limit: 500_000,
      baseline: baseline.updatePerSecond,
      best: best.updatePerSecond,
    }),
    judgeRate({
      id: "best-update-not-below",
      text: "updates not below the baseline's",
      limit: baseline.updatePerSecond,
      baseline: baseline.updatePerSecond,
      best: best.updatePerSecond,
    }),
    judgeTail("best-p99", "P99 of a new-series write < 10 µs", 10, baseline, best, "rounds"),
    judgeTail(
      "best-p99-million",
      "P99 of a new-series write < 10 µs, in one long round",
      10,
      baseline,
      best,
      "million",
    ),
  ];
}

type RateKey = "newPerSecond" | "updatePerSecond";

function judgeRate(given: {
  readonly id: string;
  readonly text: string;
  readonly limit: number;
  readonly baseline: number;
  readonly best: number;
}): CriterionResult {
  return {
    ...given,
    unit: "per second",
    met: given.best >= given.limit,
    metByBaseline: given.baseline >= given.limit,
    level: "durable at the end of the round: its last flush is inside the time",
    note: "",
  };
}

function judgeTail(
  id: string,
  text: string,
  limit: number,
  baseline: Reproduction,
  best: Reproduction,
  from: "rounds" | "million",
): CriterionResult {
  const latencyIn = (of: Reproduction): LatencyOverFloor =>
    from === "rounds" ? of.latency.new : of.million;
  const latency = latencyIn(best);
  return {
    id,
    text,
    unit: "µs",
    limit,
    baseline: latencyIn(baseline).p99Us,
    best: latency.p99Us,
    met: tailMeets(latency, limit),
    metByBaseline: tailMeets(latencyIn(baseline), limit),
    level: `best: ${best.acknowledges}; baseline: ${baseline.acknowledges}`,
    note: tailNote(latency, limit),
  };
}

/** A tail keeps its limit when it is below it, or so near the machine's own that nothing else can be said. */
function tailMeets(latency: LatencyOverFloor, limit: number): boolean {
  return latency.p99Us < limit || latency.p99Us <= FLOOR_FACTOR * latency.noiseFloor.p99Us;
}

function tailNote(latency: LatencyOverFloor, limit: number): string {
  const floor = latency.noiseFloor.p99Us;
  const said = `noise floor P99 ${floor.toFixed(1)} µs`;
  if (latency.p99Us < floor) return `${said}: a tail below the floor is not claimed`;
  if (latency.p99Us >= limit && latency.p99Us <= FLOOR_FACTOR * floor)
    return `${said}: within ${FLOOR_FACTOR}x of the floor, which passes`;
  return said;
}
