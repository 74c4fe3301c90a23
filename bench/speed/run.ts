import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Forked, PeerFailure } from "../peers/forked.ts";
import type { Sizes } from "./sizes.ts";
import type { FromTurn, TurnSpec } from "./turn.ts";
import type { Figures, Task, WorkName } from "./work.ts";
import { WORKS } from "./works.ts";

const PROGRAM = fileURLToPath(new URL("./child.ts", import.meta.url));

export interface RunOptions {
  readonly works: readonly WorkName[];
  readonly sizes: Sizes;
  readonly repeats: number;
  /** Where stores are made, in a directory that is gone afterwards. */
  readonly dir: string;
  readonly signal: AbortSignal;
  /** Told what begins. */
  readonly onTurn: (text: string, done: number, total: number) => void;
  /** Told what cannot be done here, before anything begins. */
  readonly onSkip: (text: string) => void;
}

/** What became of a task. */
export interface Outcome {
  readonly work: WorkName;
  readonly task: Task;
  /** How many turns are wanted. */
  readonly wanted: number;
  readonly turns: Figures[];
  failure: string | null;
  readonly skipped: string | null;
}

/**
 * Runs works in turns: each task of each work once, then all again. Each turn has a process and an empty directory of its
 * own, and the next begins when both are gone. What the signal cut off is missing in the outcomes.
 */
export async function runWorks(options: RunOptions): Promise<Outcome[]> {
  const runDir = mkdtempSync(join(options.dir, "varve-speed-"));
  const removeRunDir = (): void => {
    rmSync(runDir, { recursive: true, force: true, maxRetries: 3 });
  };
  process.on("exit", removeRunDir);
  const outcomes = outcomesOf(options);
  try {
    await new Run(options, runDir, outcomes).all();
  } catch (error) {
    if (!options.signal.aborted) throw error;
  } finally {
    removeRunDir();
    process.off("exit", removeRunDir);
  }
  return outcomes;
}

function outcomesOf({ works, sizes, repeats, onSkip }: RunOptions): Outcome[] {
  return works.flatMap((work) =>
    WORKS[work].tasks(sizes).map((task): Outcome => {
      const skipped = WORKS[work].missing?.(task.id) ?? null;
      if (skipped !== null) onSkip(`${work}, ${task.id}: SKIPPED: ${skipped}`);
      const wanted = Math.min(repeats, task.isPreparation === true ? 1 : (task.turns ?? repeats));
      return { work, task, wanted, turns: [], failure: null, skipped };
    }),
  );
}

class Run {
  readonly #options: RunOptions;
  readonly #runDir: string;
  readonly #outcomes: readonly Outcome[];
  #count = 0;

  constructor(options: RunOptions, runDir: string, outcomes: readonly Outcome[]) {
    this.#options = options;
    this.#runDir = runDir;
    this.#outcomes = outcomes.filter(({ skipped }) => skipped === null);
  }

  async all(): Promise<void> {
    const { works, repeats, onTurn } = this.#options;
    for (const work of works) mkdirSync(this.#sharedDir(work));
    const total = this.#outcomes.reduce((sum, { wanted }) => sum + wanted, 0);
    for (let repeat = 1; repeat <= repeats; repeat += 1) {
      for (const outcome of this.#outcomes.filter(({ wanted }) => wanted >= repeat)) {
        const { work, task, wanted } = outcome;
        const which = wanted > 1 ? `, repeat ${repeat}` : "";
        onTurn(`${work}, ${task.id}${which}`, this.#count + 1, total);
        await this.#take(outcome);
        this.#count += 1;
      }
    }
  }

  async #take(outcome: Outcome): Promise<void> {
    // Whatever follows a preparation that failed would only say so in its own way.
    const first = this.#outcomes.find(
      ({ work, task }) => work === outcome.work && task.isPreparation === true,
    );
    outcome.failure ??= first?.failure ?? null;
    if (outcome.failure !== null) return;
    const dir = join(this.#runDir, String(this.#count));
    mkdirSync(dir);
    try {
      outcome.turns.push(await this.#figuresOf(outcome, dir));
    } catch (error) {
      this.#options.signal.throwIfAborted();
      const isExpected = outcome.task.isHere === true || error instanceof PeerFailure;
      if (!isExpected) throw error;
      outcome.failure = (error as Error).message;
    } finally {
      rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  async #figuresOf({ work, task }: Outcome, dir: string): Promise<Figures> {
    const { sizes, signal } = this.#options;
    const sharedDir = this.#sharedDir(work);
    if (task.isHere === true) {
      return WORKS[work].measure(task.id, { sizes, dir, sharedDir, signal });
    }
    using child = new Forked<TurnSpec, FromTurn>(PROGRAM, signal);
    try {
      return (await child.ask({ work, task: task.id, sizes, dir, sharedDir })).figures;
    } finally {
      await child.kill();
    }
  }

  #sharedDir(work: WorkName): string {
    return join(this.#runDir, work);
  }
}
