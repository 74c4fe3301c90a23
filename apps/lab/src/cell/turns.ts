import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { interleave } from "./order.ts";
import type { CellStatus } from "./result.ts";

/** What happens during a run, for progress displays. */
export interface TurnEvent<S, R> {
  readonly kind: "start" | "end";
  readonly spec: S;
  readonly repeat: number;
  /** Child processes that ended, and all that there will be. */
  readonly done: number;
  readonly total: number;
  /** Time that is left if the rest takes as long as what was done; null before the first end. */
  readonly leftMs: number | null;
  /** What the child came to, when it ended. */
  readonly result?: R;
}

export interface TurnOptions<S, R> {
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
  readonly onEvent?: (event: TurnEvent<S, R>) => void;
}

/** What a child is run with. */
export interface ChildTurn<S> {
  readonly spec: S;
  readonly repeat: number;
  readonly dir: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Longest time for one child unless an option says otherwise, in milliseconds. */
const DEADLINE_MS = 5 * 60_000;

/**
 * Runs a child for each cell and repeat, one at a time, in interleaved order. The answer has what the repeats of each
 * cell came to, none for a cell that never had its turn. `run` answers null for a child that was stopped.
 */
export async function takeTurns<S, R extends { readonly status: CellStatus }>(
  specs: readonly S[],
  run: (turn: ChildTurn<S>) => Promise<R | null>,
  options: TurnOptions<S, R>,
): Promise<R[][]> {
  const { repeats = 3, dir = tmpdir(), seed = 1, deadlineMs = DEADLINE_MS } = options;
  const { signal, onEvent = () => undefined } = options;
  const runDir = await mkdtemp(join(dir, "varve-lab-"));
  const removeRunDir = (): void => rmSync(runDir, { recursive: true, force: true });
  process.on("exit", removeRunDir);
  const finished: R[][] = specs.map(() => []);
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
      const childDir = join(runDir, `${cell}-${repeat}`);
      const result = isOver
        ? finished[cell]!.at(-1)!
        : await run({ spec, repeat, dir: childDir, deadlineMs, signal });
      done += 1;
      if (result !== null && !isOver) finished[cell]!.push(result);
      onEvent({ ...event, kind: "end", done, leftMs: left(), result: result ?? undefined });
    }
  } finally {
    removeRunDir();
    process.off("exit", removeRunDir);
  }
  return finished;
}
