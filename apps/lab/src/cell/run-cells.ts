import { mkdtemp } from "node:fs/promises";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planOf } from "../plan-of.ts";
import { runChild } from "./child.ts";
import { emptyResult, mergeRepeats } from "./merge.ts";
import { interleave } from "./order.ts";
import type { CellResult } from "./result.ts";
import { fullSpec, type CellSpec } from "./spec.ts";

/** What happens during a run, for progress displays. */
export interface CellEvent {
  readonly kind: "start" | "end";
  readonly spec: CellSpec;
  readonly repeat: number;
  /** Child processes that ended, and all that there will be. */
  readonly done: number;
  readonly total: number;
  /** Time that is left if the rest takes as long as what was done; null before the first end. */
  readonly leftMs: number | null;
  /** What the child came to, when it ended. */
  readonly result?: CellResult;
}

export interface RunCellsOptions {
  /** Child processes a cell. Default 3. */
  readonly repeats?: number;
  /** Directory below which stores are made, which decides the file system. Default: the system's for temporary files. */
  readonly dir?: string;
  /** Shuffles the order of the children. Default 1. */
  readonly seed?: number;
  /** Time that one child may take, in milliseconds. Default 5 minutes. */
  readonly deadlineMs?: number;
  /** Aborting lets the running child end cleanly and starts no other. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: CellEvent) => void;
}

/** Longest time for one child unless an option says otherwise, in milliseconds. */
const DEADLINE_MS = 5 * 60_000;

/**
 * Runs cells: a child process for each cell and repeat, one at a time, in interleaved order. The answer has a
 * result for each spec, in the order of the specs, also for those that failed or never had their turn.
 *
 * Throws INPUT when a spec names what the catalog does not have, before anything runs.
 */
export async function runCells(
  specs: readonly CellSpec[],
  options: RunCellsOptions = {},
): Promise<CellResult[]> {
  const { repeats = 3, dir = tmpdir(), seed = 1, deadlineMs = DEADLINE_MS } = options;
  const { signal, onEvent = () => undefined } = options;
  for (const spec of specs) planOf(spec.plan);
  const runDir = await mkdtemp(join(dir, "varve-lab-"));
  const removeRunDir = (): void => rmSync(runDir, { recursive: true, force: true });
  process.on("exit", removeRunDir);
  const finished: CellResult[][] = specs.map(() => []);
  const turns = interleave(specs.length, repeats, seed);
  const start = performance.now();
  let done = 0;
  try {
    for (const { cell, repeat } of turns) {
      if (signal?.aborted === true) break;
      const spec = specs[cell]!;
      const left = (): number | null =>
        done === 0 ? null : ((performance.now() - start) / done) * (turns.length - done);
      const event = { spec, repeat, total: turns.length };
      onEvent({ ...event, kind: "start", done, leftMs: left() });
      // A cell that cannot be, or that failed once, gets no second chance: its figures count no more.
      const isOver = finished[cell]!.some((each) => each.status !== "ok");
      const result = isOver
        ? finished[cell]!.at(-1)!
        : await runChild({
            spec,
            repeat,
            dir: join(runDir, `${cell}-${repeat}`),
            deadlineMs,
            signal,
          });
      done += 1;
      if (result !== null && !isOver) finished[cell]!.push(result);
      onEvent({ ...event, kind: "end", done, leftMs: left(), result: result ?? undefined });
    }
  } finally {
    removeRunDir();
    process.off("exit", removeRunDir);
  }
  return specs.map((spec, cell) => {
    const results = finished[cell]!;
    if (results.length > 0) return mergeRepeats(spec, results, repeats);
    return emptyResult(fullSpec(spec), "n/a", ["interrupted before it was measured"], repeats);
  });
}
