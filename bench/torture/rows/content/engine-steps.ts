import { backgroundBlocks } from "@varve/block-manager/background";
import type { Random } from "@varve/bytes";
import { isStorageError, type Plan, type Variant } from "@varve/contracts";
import type { SimDisk } from "@varve/disk/sim";
import { recommended, type Engine } from "varve";
import { Broken } from "../../row.ts";
import {
  type KnownDeletion,
  type KnownRows,
  labelsOf,
  openEngine,
  valueOf,
} from "./engine-content.ts";

/** A slice of maintenance ends when it is done, never because of the clock. */
const BUDGET_MS = 60_000;

type Work = "flush" | "maintain" | "compact" | "cut" | "remove";

/** As often as they are done. */
const WORKS: readonly Work[] = [
  ...(["flush", "flush", "cut", "compact", "remove", "remove"] as const),
  ...(["maintain", "maintain", "maintain", "maintain"] as const),
];
/** In an order in which each meets what the others leave. */
const ALL_WORKS: readonly Work[] = [
  ...(["maintain", "remove", "compact", "flush"] as const),
  ...(["remove", "cut", "maintain"] as const),
];

/** Chunks of three samples, and windows that some ten rows fill. */
export function planOf(wal: Variant<"wal">, blockDurationMs: number, mergeFactor: number): Plan {
  const blocks = { blockDurationMs, samplesPerChunk: 3, mergeFactor, mergeLevels: 2 };
  return { ...recommended(), wal, "block-manager": backgroundBlocks(blocks) };
}

/** What is done to a store, and what is known of it at each moment. */
export class EngineSteps {
  readonly known: KnownRows;
  readonly random: Random;
  readonly #windowMs: number;
  readonly #isDurableAtOnce: boolean;

  constructor(known: KnownRows, random: Random, windowMs: number, isDurableAtOnce: boolean) {
    this.known = known;
    this.random = random;
    this.#windowMs = windowMs;
    this.#isDurableAtOnce = isDurableAtOnce;
  }

  async step(store: Engine): Promise<void> {
    const { random, known } = this;
    const draw = random.unit();
    if (draw < 0.35) return this.#write(store);
    if (draw < 0.48) return this.#writeBatch(store);
    if (draw < 0.5) return known.holds(store);
    return this.#beside(store, random.pick(WORKS));
  }

  /** Works of every kind, and rows between them. */
  async all(store: Engine): Promise<void> {
    for (const step of this.list(store)) await step();
  }

  /** The same, one by one. */
  list(store: Engine): (() => Promise<void>)[] {
    return ALL_WORKS.flatMap((work) => [
      async () => this.#write(store),
      async () => this.#writeBatch(store),
      () => this.#beside(store, work),
    ]);
  }

  /** Deletes: rows that it takes are gone for good once it resolves, and may be gone before. */
  async remove(store: Engine, deletion: KnownDeletion): Promise<void> {
    const { known } = this;
    const accepted = known.rows.length;
    const taken = known.takenBy(deletion);
    for (const row of taken) if (row.deleted === "no") row.deleted = "maybe";
    known.pending = deletion;
    const { series, from, until } = deletion;
    const isOne = series !== Number.POSITIVE_INFINITY;
    await store.delete(isOne ? { series: String(series) } : { __name__: "m" }, { from, until });
    known.durable = Math.max(known.durable, accepted);
    for (const row of taken) row.deleted = "yes";
    known.pending = null;
  }

  #write(store: Engine): void {
    const { known, random } = this;
    const count = 1 + random.below(8);
    for (let i = 0; i < count; i += 1) {
      const { series, time } = known.next(random);
      this.#offer(1, () => store.write(labelsOf(series), time, valueOf(series, time)));
      if (this.#isDurableAtOnce) known.durable = known.rows.length;
    }
  }

  #writeBatch(store: Engine): void {
    const { known, random } = this;
    const count = 1 + random.below(12);
    using rows = store.batch(count);
    const batch = known.nextBatch();
    for (let i = 0; i < count; i += 1) {
      const { series, time } = known.next(random, batch);
      rows.add(labelsOf(series), time, valueOf(series, time));
    }
    const { accepted } = this.#offer(count, () => store.writeBatch(rows));
    if (accepted !== count) {
      throw new Broken("wrong", `${accepted} of ${count} rows that came in order were accepted`);
    }
    if (this.#isDurableAtOnce) known.durable = known.rows.length;
  }

  /** Offers the last rows. Those that a full disk refuses are nowhere; of others that fail nobody knows. */
  #offer<T>(count: number, write: () => T): T {
    try {
      return write();
    } catch (error) {
      if (isStorageError(error, "STORAGE_FULL")) this.known.refuse(count);
      else this.known.doubt(count);
      throw error;
    }
  }

  /** Begins a work, and sometimes writes before it has ended. */
  async #beside(store: Engine, work: Work): Promise<void> {
    const done = this.#do(store, work);
    done.catch(() => undefined);
    if (this.random.chance(0.3)) this.#write(store);
    await done;
  }

  #do(store: Engine, work: Work): Promise<unknown> {
    if (work === "flush") return this.#flush(store);
    if (work === "maintain") return store.maintain(BUDGET_MS);
    if (work === "compact") return this.#compact(store);
    if (work === "cut") return this.#cut(store);
    return this.remove(store, this.#deletion());
  }

  async #flush(store: Engine): Promise<void> {
    const accepted = this.known.rows.length;
    await store.flush();
    this.known.durable = Math.max(this.known.durable, accepted);
  }

  async #compact(store: Engine): Promise<void> {
    const accepted = this.known.rows.length;
    await store.compactLog();
    this.known.durable = Math.max(this.known.durable, accepted);
  }

  /** Rows of the windows that are cut would be out of order: time moves on to the next. */
  async #cut(store: Engine): Promise<void> {
    const { known, random } = this;
    const before = random.chance(0.5) ? known.clock : known.clock - random.below(50);
    const windowMs = this.#windowMs;
    known.clock = Math.max(known.clock, Math.ceil(before / windowMs) * windowMs);
    await store.cutBlocks({ before });
  }

  #deletion(): KnownDeletion {
    const { known, random } = this;
    const from = Math.max(0, known.clock - random.below(120));
    const until = Math.min(known.clock, from + 1 + random.below(60));
    const last = known.rows.at(-1)?.series ?? 0;
    return { series: random.chance(0.3) ? Number.POSITIVE_INFINITY : last, from, until };
  }
}

/** Opens undisturbed, holds what it should, and takes and keeps more. */
export async function survives(
  disk: SimDisk,
  plan: Plan,
  known: KnownRows,
  random: Random,
): Promise<void> {
  const store = await openEngine(disk, plan);
  await known.recovered(store);
  const { series, time } = known.next(random);
  store.write(labelsOf(series), time, valueOf(series, time));
  await store.flush();
  known.durable = known.rows.length;
  await known.holds(store);
  const again = await openEngine(disk.image("nothing"), plan);
  await known.recovered(again);
  for (const each of [again, store]) await each.close();
}

/** A crash, and what a part says that the crash has poisoned. */
export function isExplained(error: unknown, disk: SimDisk): boolean {
  if (!disk.crashed) return false;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === "Crash" || isStorageError(cause, "POISONED")) return true;
    if (cause.message.startsWith("the disk has crashed")) return true; // Told by a ring's writer, as text.
  }
  return false;
}
