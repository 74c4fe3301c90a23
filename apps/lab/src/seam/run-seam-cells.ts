import { fileURLToPath } from "node:url";
import { inChild } from "../cell/in-child.ts";
import { takeTurns, type TurnOptions } from "../cell/turns.ts";
import { spreadOf } from "../stats/spread.ts";
import { type Verdict, verdict } from "../stats/verdict.ts";
import {
  emptySeamResult,
  SEAM_LOGS,
  SEAM_PATHS,
  type SeamLog,
  type SeamPath,
  type SeamResult,
  type SeamSpec,
  type SeamWay,
} from "./spec.ts";

const PROGRAM = fileURLToPath(
  import.meta.url.endsWith(".ts")
    ? new URL("./seam-main.ts", import.meta.url)
    : new URL("./seam-main.js", import.meta.url),
);

/** What the seam costs one path of one log. */
export interface SeamComparison {
  readonly log: SeamLog;
  readonly path: SeamPath;
  /** Median time of an append or its calls, in nanoseconds. */
  readonly nanoseconds: Readonly<Record<"inlined" | "disk", number>>;
  /** The disk beside inlined calls: below 1 it is slower. */
  readonly seam: Verdict;
  /** The disk beside itself: what the machine makes of no difference. */
  readonly noise: Verdict;
}

/** Runs cells of the seam: a process for each and each of its repeats, one at a time, in interleaved order. */
export async function runSeamCells(
  specs: readonly SeamSpec[],
  options: TurnOptions<SeamSpec, SeamResult>,
): Promise<SeamResult[]> {
  const finished = await takeTurns(
    specs,
    async (turn): Promise<SeamResult | null> => {
      const end = await inChild<SeamSpec, SeamResult>({ ...turn, program: PROGRAM });
      if (end.kind === "result") return end.result;
      return end.kind === "stopped" ? null : emptySeamResult(turn.spec, "failed", [end.reason]);
    },
    options,
  );
  return withEqualBytes(specs.map((spec, cell) => merge(spec, finished[cell]!)));
}

function merge(spec: SeamSpec, repeats: readonly SeamResult[]): SeamResult {
  const bad = repeats.find(({ status }) => status !== "ok");
  if (bad !== undefined) return bad;
  if (repeats.length === 0) {
    return emptySeamResult(spec, "n/a", ["interrupted before it was measured"]);
  }
  const samples = repeats.flatMap((each) => each.samples);
  return { ...repeats[0]!, samples, rate: spreadOf(samples) };
}

/** Only the same work is compared: cells of a log that left other bytes than its first have failed. */
export function withEqualBytes(results: readonly SeamResult[]): SeamResult[] {
  return results.map((result) => {
    const first = results.find(
      ({ spec, status }) => status === "ok" && spec.log === result.spec.log,
    );
    if (result.status !== "ok" || result.bytes === first!.bytes) return result;
    return emptySeamResult(result.spec, "failed", [`left other bytes than ${first!.spec.id}`]);
  });
}

/** Compares the ways of each path of each log, where all of them have figures. */
export function compareWays(results: readonly SeamResult[]): SeamComparison[] {
  return SEAM_LOGS.flatMap((log) =>
    SEAM_PATHS.flatMap((path): SeamComparison[] => {
      const ratesOf = (way: SeamWay): readonly number[] =>
        results.find(({ spec }) => spec.log === log && spec.path === path && spec.way === way)
          ?.samples ?? [];
      const [disk, again, inlined] = [ratesOf("disk"), ratesOf("disk again"), ratesOf("inlined")];
      if (Math.min(disk.length, again.length, inlined.length) === 0) return [];
      const nanoseconds = { inlined: timeOf(inlined), disk: timeOf(disk) };
      return [
        { log, path, nanoseconds, seam: verdict(inlined, disk), noise: verdict(disk, again) },
      ];
    }),
  );
}

function timeOf(rates: readonly number[]): number {
  return 1e9 / spreadOf(rates).median;
}
