import { makeRandom, type Random } from "@varve/bytes";
import { isStorageError } from "@varve/contracts";
import { writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { join } from "node:path";
import { Broken } from "../../row.ts";
import { openNumberedEngine } from "../content/numbered-engine.ts";
import { type NumberedStore, openNumberedLog } from "../content/numbered-log.ts";
import { SHORTAGES, type Shortage, SmallDisk } from "./small-disk.ts";
import { type VictimOrder, WORDS } from "../process/victim.ts";

/** What the worker is told: one store, on disks that are short of each thing in turn. */
export interface FillOrder extends Pick<VictimOrder, "what" | "log" | "seed"> {
  readonly dir: string;
  /** Room on the disk that has too little of it. */
  readonly bytes: number;
}

/** More than any of these disks holds. */
const BATCHES_MAX = 20_000;
const BATCHES_AFTER = 40;
/** Tries while the disk is full. */
const TRIES = 8;
const COMMITTING = 0.1;
const TIDYING = 0.004;
/** Tidying gives room back: without an end the disk would never be full. */
const TIDIES_MAX = 3;
/** How long a log may take to see that there is room again. */
const RELIEF_MS_MAX = 10_000;

process.stdin.once("data", (text: Buffer) => void work(JSON.parse(text.toString()) as FillOrder));
process.stdin.on("end", () => process.exit(1));

/** A process in a room of mounts that fills disks, and says how that ended. */
async function work(order: FillOrder): Promise<void> {
  const random = makeRandom(order.seed);
  try {
    for (const shortage of SHORTAGES) {
      say("fills", shortage);
      await new Fill(order, shortage, random).run();
    }
    say("end", String(SHORTAGES.length));
  } catch (error) {
    const fault = error instanceof Broken ? error.fault : "wrong";
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    say(`broken ${fault}`, text.replaceAll("\n", " ⏎ "));
  }
}

function say(word: string, text: string): void {
  writeSync(WORDS, `${word} ${text}\n`);
}

/** One store: written until its disk is full, tried then, and gone on with once there is room again. */
class Fill {
  readonly #order: FillOrder;
  readonly #disk: SmallDisk;
  readonly #dir: string;
  readonly #random: Random;
  #accepted = 0;
  #durable = 0;

  constructor(order: FillOrder, shortage: Shortage, random: Random) {
    this.#order = order;
    this.#random = random;
    this.#disk = new SmallDisk(join(order.dir, shortage), shortage, order.bytes, random);
    this.#dir = join(order.dir, shortage);
  }

  async run(): Promise<void> {
    const random = this.#random;
    let store = await this.#unlessFull(() => this.#open());
    if (store !== null) await this.#fill(store);
    if (store !== null) await this.#tryOn(store);
    if (store !== null && random.chance(0.3)) {
      // A process gives up at the full disk, and another finds it as full.
      await this.#unlessFull(() => store!.close());
      store = await this.#unlessFull(() => this.#open());
    }
    this.#disk.relieve();
    store ??= await this.#open();
    await this.#goOn(store);
    await store.close();
    const again = await this.#open();
    if (again.last !== this.#accepted) {
      throw new Broken("lost", `batch ${this.#accepted} was closed upon, ${again.last} is last`);
    }
    await again.close();
    this.#disk.unmount();
  }

  /** Opens, and checks what is there: all that was durable, and nothing that was not offered. */
  async #open(): Promise<NumberedStore> {
    const { what, log } = this.#order;
    const open = what === "log" ? openNumberedLog : openNumberedEngine;
    const store = await open(this.#dir, log);
    const { last } = store;
    if (last < this.#durable) {
      throw new Broken("lost", `batch ${this.#durable} was durable, ${last} came back`);
    }
    if (last > this.#accepted) {
      throw new Broken("wrong", `batch ${last} came back of ${this.#accepted}`);
    }
    this.#accepted = this.#durable = last;
    return store;
  }

  async #fill(store: NumberedStore): Promise<void> {
    let tidies = 0;
    for (let i = 0; i < BATCHES_MAX; i += 1) {
      const step = this.#draw(tidies < TIDIES_MAX ? TIDYING : 0);
      if (step === "tidy") tidies += 1;
      if ((await this.#unlessFull(() => this.#step(store, step))) === null) return;
    }
    throw new Broken("wrong", `${BATCHES_MAX} batches did not fill the disk`);
  }

  /** What is small may still go in; what does not says so, and leaves the store as usable. */
  async #tryOn(store: NumberedStore): Promise<void> {
    for (let i = 0; i < TRIES; i += 1) {
      const step = this.#draw(0.3);
      await this.#unlessFull(() => this.#step(store, step));
    }
  }

  /** The same store takes more, and nothing fails. */
  async #goOn(store: NumberedStore): Promise<void> {
    await this.#relieved(store);
    for (let i = 0; i < BATCHES_AFTER; i += 1) await this.#step(store, this.#draw(0.1));
    await this.#step(store, "tidy");
    await this.#step(store, "commit");
    if (this.#durable !== this.#accepted) {
      throw new Broken("lost", `${this.#durable} of ${this.#accepted} batches are durable`);
    }
  }

  /** A writer that waits for room looks for it now and then. What failed beside it before is told by the next tidying. */
  async #relieved(store: NumberedStore): Promise<void> {
    const lastMs = performance.now() + RELIEF_MS_MAX;
    const isRefused = async (step: "commit" | "tidy"): Promise<boolean> =>
      (await this.#unlessFull(() => this.#step(store, step))) === null;
    while ((await isRefused("commit")) || (await isRefused("tidy"))) {
      if (performance.now() > lastMs) {
        throw new Broken("hang", `there is room, and none was found in ${RELIEF_MS_MAX} ms`);
      }
      await setTimeout(10);
    }
  }

  #draw(tidying: number): "write" | "commit" | "tidy" {
    const draw = this.#random.unit();
    if (draw < tidying) return "tidy";
    return draw < tidying + COMMITTING ? "commit" : "write";
  }

  async #step(store: NumberedStore, step: "write" | "commit" | "tidy"): Promise<true> {
    const { accepted } = store.marks;
    let failure: unknown = null;
    try {
      if (step === "write") store.write(accepted + 1);
      else if (step === "tidy") await store.tidy(this.#random, () => undefined);
      else {
        await store.commit();
        this.#durable = accepted;
      }
    } catch (error) {
      failure = error;
    }
    if (failure !== null && step === "write" && store.marks.accepted !== accepted) {
      throw new Broken("wrong", `batch ${accepted + 1} was refused, and is accepted`);
    }
    this.#look(store);
    if (failure !== null) throw failure;
    return true;
  }

  #look({ marks }: NumberedStore): void {
    const { accepted, written, durable } = marks;
    const isOrdered = accepted >= written && written >= durable;
    if (!isOrdered || durable < this.#durable || accepted < this.#accepted) {
      throw new Broken(
        "wrong",
        `marks are ${accepted}, ${written}, ${durable} after ${this.#accepted} and ${this.#durable}`,
      );
    }
    this.#accepted = accepted;
    this.#durable = durable;
  }

  /** What it resolves to, or null when it failed because the disk is full. Any other failure is a finding. */
  async #unlessFull<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (isStorageError(error, "STORAGE_FULL")) return null;
      throw error;
    }
  }
}
