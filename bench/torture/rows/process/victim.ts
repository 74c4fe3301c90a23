import type { Random } from "@varve/bytes";
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Broken, type Fault } from "../../row.ts";

const PROGRAM = fileURLToPath(new URL("./kill-victim.ts", import.meta.url));
/** Where a victim says its words: a descriptor that Node leaves alone, so that writing to it waits for room. */
export const WORDS = 3;
const CALM_BATCHES = 20;
/** How likely a life is ended soon after its opening has begun, and not after its recovery. */
const RECOVERING = 0.2;

export const LOG_NAMES = ["sync", "batched", "async"] as const;
export type LogName = (typeof LOG_NAMES)[number];

/** What a victim is told on its standard input, as one line of JSON. */
export interface VictimOrder {
  readonly what: "log" | "engine";
  readonly log: LogName;
  readonly dir: string;
  readonly seed: number;
  /** Batches to write before it closes, opens again and ends; null for a life that only its death ends. */
  readonly batches: number | null;
}

/** Another program than the one that is killed. */
export interface VictimProgram {
  readonly path: string;
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** A process that writes until it is killed, and what it said until then. */
export class Victim {
  readonly closed: Promise<void>;
  readonly lines: string[] = [];
  #stderr = "";
  #rest = "";
  readonly #child: ChildProcess;
  readonly #awaited = new Map<string, () => void>();

  /** Starts the process, behind another program when one is named. It loads what it needs, and waits for its order. */
  constructor(
    what: VictimOrder["what"],
    cacheDir: string,
    prefix: readonly string[] = [],
    { path, flags = [], env: more }: VictimProgram = { path: PROGRAM },
  ) {
    const node = [process.execPath, ...process.execArgv, ...flags, path, what];
    const [program, ...args] = [...prefix, ...node];
    const env = { ...process.env, ...more, NODE_COMPILE_CACHE: cacheDir };
    const child = spawn(program!, args, { stdio: ["pipe", "ignore", "pipe", "pipe"], env });
    this.#child = child;
    const words = child.stdio[WORDS] as Readable;
    words.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    child.stderr!.on("data", (text: Buffer) => (this.#stderr += text.toString()));
    child.stdin!.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      child.once("error", () => resolve());
      child.once("close", () => {
        this.#wakeAll();
        resolve();
      });
    });
  }

  /** Tells it what to do: what its program expects. */
  order(order: object): void {
    this.#child.stdin!.write(`${JSON.stringify(order)}\n`);
  }

  /** Stops it where it is, and lets it go on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child.kill(signal);
  }

  /** Resolves once it has said the word, or that it cannot go on, or has ended. To be called before its order. */
  says(word: string): Promise<void> {
    return new Promise((resolve) => this.#awaited.set(word, resolve));
  }

  /** Ended without having been told to. */
  get isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** How it ended, with the last that it wrote to its standard error. */
  get fate(): string {
    const { exitCode, signalCode } = this.#child;
    return `${signalCode ?? exitCode}: ${this.#stderr.slice(-1000)}`;
  }

  /** Waits for its end. False, and it is killed, if that takes longer than so many milliseconds. */
  async endsWithin(msMax: number): Promise<boolean> {
    const patience = new AbortController();
    const late = setTimeout(msMax, false, { signal: patience.signal }).catch(() => false);
    const isTimely = await Promise.race([this.closed.then(() => true), late]);
    patience.abort();
    await this.kill();
    return isTimely;
  }

  /** Kills it, and resolves when all that it said has been heard. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.closed;
  }

  #hear(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop()!;
    this.lines.push(...lines);
    for (const line of lines) {
      const word = line.split(" ", 1)[0]!;
      if (word === "failed" || word === "broken") this.#wakeAll();
      else this.#awaited.get(word)?.();
    }
  }

  #wakeAll(): void {
    for (const wake of this.#awaited.values()) wake();
  }
}

export interface LivesOptions {
  readonly random: Random;
  readonly lives: number;
  readonly what: VictimOrder["what"];
  readonly log: LogName;
  readonly dir: string;
  /** What is there after the end of a life: the batches that were written, or only those that were durable. */
  readonly kept: "written" | "durable";
  readonly start: () => Victim;
  /** Longest time between a victim's word and the end of its life, at least 5. */
  readonly delayMsMax: number;
  /** Ends a life. Resolves, when the victim is dead, how many of its lines it had said before its end began. */
  end(victim: Victim): Promise<number>;
}

/** Life after life in one directory, each ended; then one that nothing disturbs. Resolves how many were ended. */
export async function endLives(options: LivesOptions): Promise<number> {
  const { random, lives, what, log, dir, delayMsMax, start } = options;
  const known = new Known(options.kept);
  let victim = start();
  let next: Victim | null = null;
  try {
    for (let life = 0; life < lives; life += 1) {
      const first = victim.says(random.chance(RECOVERING) ? "opening" : "found");
      victim.order({ what, log, dir, seed: random.word(), batches: null });
      await first;
      next = start(); // Ready when this one is dead.
      await setTimeout(5 + random.below(delayMsMax - 4));
      if (victim.isGone) throw new Broken("wrong", `a process ended by itself, ${victim.fate}`);
      const before = await options.end(victim);
      known.hear(victim.lines, before);
      victim = next;
    }
    const over = victim.says("end");
    victim.order({ what, log, dir, seed: random.word(), batches: CALM_BATCHES });
    await over;
    await victim.kill(); // It has closed its store, or cannot go on.
    known.hear(victim.lines, victim.lines.length);
    if (!known.isOver) throw new Broken("wrong", `a process ended by itself, ${victim.fate}`);
    return lives;
  } finally {
    await Promise.all([victim.kill(), next?.kill()]);
  }
}

/** What is known outside of the store, from what its victims said. */
class Known {
  /** The last life came to its end undisturbed. */
  isOver = false;
  readonly #kept: LivesOptions["kept"];
  /** Batches that have to be there, and that may be. */
  #floor = 0;
  #ceiling = 0;
  #cut = 0;

  constructor(kept: LivesOptions["kept"]) {
    this.#kept = kept;
  }

  /**
   * Takes in one life, from its opening on. What was said once the end had begun is no promise: a sync that runs while a
   * file system is shut down can succeed and keep nothing, which a real power cut lets nobody see.
   */
  hear(lines: readonly string[], before: number): void {
    for (const [i, line] of lines.entries()) {
      const isPromise = i < before;
      const [word, ...rest] = line.split(" ");
      const [first = 0, second = 0, third = 0] = rest.map(Number);
      if (word === "found") this.#found(first, second, isPromise);
      else if (word === "offers") this.#ceiling = Math.max(this.#ceiling, first);
      else if (word === "cuts") this.#cut = first;
      else if (word === "marks") this.#marks(first, second, third, isPromise);
      else if (word === "closed" && isPromise) this.#floor = first;
      else if (word === "end") this.isOver = true;
      else if (word === "broken") throw new Broken(rest[0] as Fault, rest.slice(1).join(" "));
      else if (word === "failed" && isPromise) throw new Broken("wrong", line);
    }
  }

  #found(last: number, checkpoint: number, isPromise: boolean): void {
    const floor = this.#floor;
    const ceiling = this.#ceiling;
    if (last < floor) throw new Broken("lost", `batch ${floor} was ${this.#kept}, ${last} is last`);
    if (last > ceiling) throw new Broken("wrong", `batch ${last} came back of ${ceiling}`);
    if (checkpoint > this.#cut) throw new Broken("wrong", `nobody cut at ${checkpoint}`);
    if (!isPromise) return;
    this.#floor = last;
    this.#ceiling = last;
  }

  #marks(accepted: number, written: number, durable: number, isPromise: boolean): void {
    if (accepted < written || written < durable) {
      throw new Broken("wrong", `marks are ${accepted}, ${written}, ${durable}`);
    }
    if (!isPromise) return;
    this.#floor = Math.max(this.#floor, this.#kept === "written" ? written : durable);
  }
}
