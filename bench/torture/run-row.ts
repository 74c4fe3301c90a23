import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Order, Said } from "./messages.ts";
import type { Fault, Row, RowResult, Tier } from "./row.ts";

export interface RunRowOptions {
  readonly tier: Tier;
  readonly seed: number;
  /** Processes that share the row. */
  readonly shares: number;
  readonly signal: AbortSignal;
  /** Findings after which a row ends early: more of them say nothing new. */
  readonly foundMax?: number;
  /** Flags of Node's and the environment for the processes: by default, those of this one. */
  readonly execArgv?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  onProgress(done: number, total: number): void;
}

/** What is said of a trial whose process was not told to end. */
export const PROCESS_ENDED = "its process ended";

const PROGRAM = fileURLToPath(new URL("./child.ts", import.meta.url));
const FOUND_MAX = 20;

/** Runs trials of a row in processes of their own until it has its count. A trial that hangs costs its process. */
export async function runRow(row: Row, options: RunRowOptions): Promise<RowResult> {
  const skipped = row.lacks?.() ?? null;
  const run = new RowRun(row, options);
  const begin = performance.now();
  if (skipped === null) await run.all();
  const { id, title, kind, unit } = row;
  return {
    id,
    title,
    kind,
    unit,
    count: run.count,
    lost: run.faults.lost,
    wrong: run.faults.wrong,
    hangs: run.faults.hang,
    skipped,
    trials: run.trials,
    seconds: Math.round((performance.now() - begin) / 100) / 10,
    firstSeed: options.seed,
    found: run.found,
  };
}

class RowRun {
  count = 0;
  trials = 0;
  readonly faults: Record<Fault, number> = { lost: 0, wrong: 0, hang: 0 };
  readonly found: string[] = [];
  readonly #row: Row;
  readonly #options: RunRowOptions;

  constructor(row: Row, options: RunRowOptions) {
    this.#row = row;
    this.#options = options;
  }

  async all(): Promise<void> {
    const { shares } = this.#options;
    const dir = mkdtempSync(join(tmpdir(), "varve-torture-"));
    try {
      await Promise.all(Array.from({ length: shares }, (_, i) => this.#share(i, dir)));
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }

  get #lastSeed(): number {
    const { seed, tier } = this.#options;
    const trials = this.#row.trials?.[tier];
    return trials === undefined ? Number.MAX_SAFE_INTEGER : seed + trials - 1;
  }

  get #isDone(): boolean {
    const { tier, signal, foundMax = FOUND_MAX } = this.#options;
    const { count, trials } = this.#row;
    const isFull = trials === undefined && this.count >= count[tier];
    return isFull || this.found.length >= foundMax || signal.aborted;
  }

  /** One share: a process, and another from the next seed on when the first hangs or dies. */
  async #share(share: number, dir: string): Promise<void> {
    const { seed, shares } = this.#options;
    let next = seed + share;
    while (!this.#isDone && next <= this.#lastSeed) {
      next = await this.#process(next, mkdtempSync(join(dir, "share-")));
      next += shares;
    }
  }

  /** Runs trials in one process. Resolves the seed of its last one. */
  #process(seed: number, dir: string): Promise<number> {
    const { tier, shares, signal, execArgv = process.execArgv, env = process.env } = this.#options;
    const child = fork(PROGRAM, { execArgv: [...execArgv], env });
    const stop = (): void => void child.kill("SIGKILL");
    let last = seed;
    let fate: "runs" | "stopped" | "hangs" = "runs";
    const end = (why: "stopped" | "hangs"): void => {
      fate = why;
      stop();
    };
    const onAbort = (): void => end("stopped");
    signal.addEventListener("abort", onAbort);
    process.on("exit", stop);
    let clock = setTimeout(() => end("hangs"), this.#row.trialMs);
    child.on("message", (said: Said) => {
      last = said.seed;
      clearTimeout(clock);
      clock = setTimeout(() => end("hangs"), this.#row.trialMs);
      this.#hear(said);
      if (this.#isDone) end("stopped");
    });
    child.send(
      { id: this.#row.id, tier, seed, last: this.#lastSeed, step: shares, dir } satisfies Order,
      () => undefined,
    );
    return new Promise((resolve) => {
      child.once("close", (code, killedBy) => {
        clearTimeout(clock);
        signal.removeEventListener("abort", onAbort);
        process.off("exit", stop);
        if (fate === "hangs") this.#fault("hang", last, `no answer in ${this.#row.trialMs} ms`);
        if (fate === "runs" && code !== 0) {
          this.#fault("wrong", last, `${PROCESS_ENDED}: ${killedBy ?? code}`);
        }
        resolve(last);
      });
      watchError(child);
    });
  }

  #hear(said: Said): void {
    if (said.kind === "begin") return;
    this.trials += 1;
    if (said.kind === "done") this.count += said.count;
    else this.#fault(said.fault, said.seed, said.message);
    this.#options.onProgress(this.count, this.#row.count[this.#options.tier]);
  }

  #fault(fault: Fault, seed: number, message: string): void {
    this.faults[fault] += 1;
    if (this.found.length < FOUND_MAX) this.found.push(`seed ${seed}: ${fault}: ${message}`);
  }
}

/** Its end is told by `close`, which follows. */
function watchError(child: ChildProcess): void {
  child.on("error", () => undefined);
}
