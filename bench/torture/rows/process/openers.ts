import type { Random } from "@varve/bytes";
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Broken, type Row, type TrialContext } from "../../row.ts";
import type { RacerOrder, RacerWord, Thread } from "./opener.ts";
import { LOG_NAMES } from "./victim.ts";

const PROGRAM = fileURLToPath(new URL("./opener.ts", import.meta.url));
const PROCESSES = 4;
/** So many of them have a worker thread, too. */
const WORKERS = 1;
/** Openings of one process, by their threads. */
const WITH_WORKER: readonly Thread[][] = [
  ["worker"],
  ["main", "worker"],
  ["main", "main", "worker"],
];
const WITHOUT_WORKER: readonly Thread[][] = [["main"], ["main"], ["main", "main"]];
const RACES_PER_TRIAL = 5;
/** How often a race ends with the death of its winner, and how often all are killed before there is one. */
const KILLED = 0.3;
const ENDED = 0.1;
/** Time for the order to reach every racer, in milliseconds. */
const START_MS = 20;
const KILL_MS_MAX = 40;

/** Many that open one directory at once. */
export const OPENERS_ROWS: readonly Row[] = [
  {
    id: "openers-race",
    title:
      "processes, a worker thread and a second handle open one directory at once, new, closed, or left by killed ones: one wins and writes, the others are told who holds it",
    kind: "race",
    unit: "races",
    count: { pr: 10, full: 100 },
    trialMs: 60_000,
    trial,
  },
];

/** A process of racers, with or without a worker thread. */
class Racers {
  readonly hasWorker: boolean;
  readonly isReady: Promise<void>;
  readonly #child: ChildProcess;
  readonly #awaited = new Map<number, (word: RacerWord) => void>();
  #isOver = false;

  constructor(hasWorker: boolean, cacheDir: string) {
    this.hasWorker = hasWorker;
    const env = { ...process.env, NODE_COMPILE_CACHE: cacheDir };
    this.#child = fork(PROGRAM, hasWorker ? ["worker"] : [], { execArgv: process.execArgv, env });
    this.isReady = new Promise((resolve) => this.#child.once("message", () => resolve()));
    this.#child.on("message", (word: RacerWord) => this.#awaited.get(word.racer)?.(word));
    this.#child.once("close", () => {
      this.#isOver = true;
      for (const [racer, hear] of this.#awaited) {
        hear({ kind: "failed", racer, message: "its process ended" });
      }
    });
    this.#child.unref();
    this.#child.channel!.unref();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Gives an order to each of some racers. Resolves what they say, in the order of the orders. */
  tell(orders: readonly RacerOrder[]): Promise<RacerWord[]> {
    this.#child.channel?.ref();
    const words = orders.map(
      ({ racer }) => new Promise<RacerWord>((hear) => this.#awaited.set(racer, hear)),
    );
    this.#child.send(orders, () => undefined);
    return Promise.all(words).finally(() => {
      for (const { racer } of orders) this.#awaited.delete(racer);
      this.#child.channel?.unref();
    });
  }

  async kill(): Promise<void> {
    this.#child.ref();
    const closed = new Promise((resolve) => this.#child.once("close", resolve));
    if (!this.#isOver && this.#child.kill("SIGKILL")) await closed;
  }
}

/** They live from trial to trial: to start one takes longer than a race. */
const pool: Racers[] = [];

async function trial({ dir, random }: TrialContext): Promise<number> {
  const place = mkdtempSync(join(dir, "race-"));
  if (random.chance(0.5)) mkdirSync(join(place, "data"));
  const race = new Race(place, join(dir, "cache"), random);
  try {
    for (let i = 0; i < RACES_PER_TRIAL; i += 1) {
      if (random.chance(ENDED)) await race.endInTheMiddle();
      await race.run();
    }
    return RACES_PER_TRIAL;
  } catch (error) {
    await killAll(); // Whatever they hold.
    throw error;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** Races for one directory, one after the other. */
class Race {
  readonly #dir: string;
  readonly #cacheDir: string;
  readonly #random: Random;
  /** Batches that were committed. */
  #last = 0;
  #nextRacer = 1;

  constructor(dir: string, cacheDir: string, random: Random) {
    this.#dir = dir;
    this.#cacheDir = cacheDir;
    this.#random = random;
  }

  /** One race to its end. The winner writes a batch, and is closed or killed. */
  async run(): Promise<void> {
    const { processes, orders } = await this.#start();
    const words = await Promise.all(processes.map((each, i) => each.tell(orders[i]!)));
    const all = words.flat();
    for (const word of all) {
      if (word.kind === "failed") throw new Broken("wrong", word.message);
    }
    const winners = all.filter((word) => word.kind === "won");
    const [winner] = winners;
    if (winner === undefined || winners.length > 1) {
      throw new Broken("wrong", `${winners.length} of ${all.length} won: ${textOf(all)}`);
    }
    for (const word of all) if (word.kind === "refused") checkRefusal(word, winner.pid);
    const { racer, last } = winner;
    if (last < this.#last) throw new Broken("lost", `batch ${this.#last} was committed`);
    if (last > this.#last) throw new Broken("wrong", `nobody wrote batch ${last}`);
    const process = processes[words.findIndex((each) => each.includes(winner))]!;
    await obey(process, { kind: "write", racer });
    this.#last += 1;
    if (this.#random.chance(KILLED)) await process.kill();
    else await obey(process, { kind: "close", racer });
  }

  /** A race whose racers are all killed while they open. */
  async endInTheMiddle(): Promise<void> {
    const { processes, orders } = await this.#start();
    const ends = processes.map((each, i) => each.tell(orders[i]!));
    await setTimeout(START_MS + this.#random.below(KILL_MS_MAX));
    await killAll();
    await Promise.all(ends);
  }

  /** Readies the processes, and says what each has to do: one opening, or two in the same process. */
  async #start(): Promise<{ processes: Racers[]; orders: RacerOrder[][] }> {
    const random = this.#random;
    for (let i = 0; i < PROCESSES; i += 1) {
      if (pool[i]?.isOver !== false) pool[i] = new Racers(i < WORKERS, this.#cacheDir);
    }
    await Promise.all(pool.map(({ isReady }) => isReady));
    const processes = pool.slice(0, 2 + random.below(PROCESSES - 1));
    const log = random.pick(LOG_NAMES);
    const atMs = performance.timeOrigin + performance.now() + START_MS;
    const orders = processes.map(({ hasWorker }) =>
      random.pick(hasWorker ? WITH_WORKER : WITHOUT_WORKER).map((thread) => {
        const racer = this.#nextRacer;
        this.#nextRacer += 1;
        return { kind: "open", racer, thread, dir: this.#dir, log, atMs } as const;
      }),
    );
    return { processes, orders };
  }
}

async function killAll(): Promise<void> {
  await Promise.all(pool.map((each) => each.kill()));
}

async function obey(process: Racers, order: RacerOrder): Promise<void> {
  const [word] = await process.tell([order]);
  if (word?.kind !== "done") throw new Broken("wrong", textOf([word]));
}

function checkRefusal(word: RacerWord & { kind: "refused" }, winner: number): void {
  const { code, pid, host, since } = word;
  if (code !== "LOCKED") throw new Broken("wrong", `a loser was refused with ${textOf([word])}`);
  const isTold =
    pid === winner && host === hostname() && Number.isFinite(Date.parse(String(since)));
  if (!isTold) throw new Broken("wrong", `process ${winner} won, and was told: ${textOf([word])}`);
}

function textOf(words: unknown): string {
  return JSON.stringify(words);
}
