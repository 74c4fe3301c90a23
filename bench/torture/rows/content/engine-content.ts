import type { Random } from "@varve/bytes";
import type { Disk, Labels, Plan } from "@varve/contracts";
import { open, type Engine } from "varve";
import { Broken } from "../../row.ts";

/** A row that was offered. Its value follows from its series and time, which no other row shares. */
export interface KnownRow {
  readonly series: number;
  readonly time: number;
  /** Rows of one atomic batch share a number; 0 for single writes. */
  readonly batch: number;
  /** Whether a deletion resolved that takes it, or one was only begun. */
  deleted: "no" | "maybe" | "yes";
  /** It was answered with a failure: nobody knows whether the log has it. */
  isUnsure: boolean;
}

/** A deletion as it was called. */
export interface KnownDeletion {
  /** Infinite for all series. */
  readonly series: number;
  readonly from: number;
  readonly until: number;
}

/** Series at the start; a new one comes with so many rows. */
const SERIES_FIRST = 4;
const ROWS_PER_SERIES = 25;
const MEMORY_BYTES_MAX = 16 * 2 ** 20;
const HASH_SEED = { low: 0x1234_5678, high: 0x0bad_cafe };
const AWKWARD = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.MIN_VALUE];

const number = new Float64Array(1);
const words = new Uint32Array(number.buffer);

/** What is known outside of an engine: rows in the order of their acceptance, and how many of them are durable. */
export class KnownRows {
  rows: KnownRow[] = [];
  durable = 0;
  /** No row has come at this time or after it. */
  clock = 0;
  /** Began, and did not resolve. */
  pending: KnownDeletion | null = null;
  #batch = 0;
  #at = new Map<number, number>();

  /** The same, to be changed apart. */
  copy(): KnownRows {
    const copy = new KnownRows();
    copy.rows = this.rows.map((row) => ({ ...row }));
    copy.durable = this.durable;
    copy.clock = this.clock;
    copy.pending = this.pending;
    copy.#batch = this.#batch;
    copy.#at = new Map(this.#at);
    return copy;
  }

  /** The next row, before it is offered. */
  next(random: Random, batch = 0): KnownRow {
    const known = SERIES_FIRST + Math.floor(this.clock / ROWS_PER_SERIES);
    const series = random.chance(0.3) ? random.below(known) : known - 1 - random.below(3);
    const row: KnownRow = { series, time: this.clock, batch, deleted: "no", isUnsure: false };
    this.clock += 1;
    this.#at.set(placeOf(row.series, row.time), this.rows.length);
    this.rows.push(row);
    return row;
  }

  /** The last rows were offered, and refused for good: nobody may find them. */
  refuse(count: number): void {
    for (const row of this.rows.splice(this.rows.length - count, count)) {
      this.#at.delete(placeOf(row.series, row.time));
    }
  }

  /** The last rows were offered, and the log has failed: the next opening finds them, or not. */
  doubt(count: number): void {
    for (const row of this.rows.slice(this.rows.length - count)) row.isUnsure = true;
  }

  nextBatch(): number {
    this.#batch += 1;
    return this.#batch;
  }

  /** Rows that a deletion takes, of those that are there. */
  takenBy({ series, from, until }: KnownDeletion): KnownRow[] {
    return this.rows.filter(
      (row) =>
        (series === Number.POSITIVE_INFINITY || row.series === series) &&
        row.time >= from &&
        row.time < until,
    );
  }

  /** Reads all that the store holds: exactly these rows. */
  async holds(store: Engine): Promise<void> {
    const found = await this.#read(store);
    for (const [i, row] of this.rows.entries()) {
      if (row.deleted === "no" && !row.isUnsure && !found.has(i)) {
        throw new Broken("lost", `${nameOf(row)} was accepted, and a query misses it`);
      }
    }
  }

  /** Reads what a crash has left: a prefix with all that was durable. What is there is durable from now on. */
  async recovered(store: Engine): Promise<void> {
    const found = await this.#read(store);
    const count = Math.max(this.durable, ...[...found].map((i) => i + 1));
    for (let i = 0; i < count; i += 1) {
      const row = this.rows[i]!;
      if (row.deleted !== "no" || found.has(i)) continue;
      const what = `${nameOf(row)} is missing`;
      if (i < this.durable) throw new Broken("lost", `${what}: it was durable`);
      throw new Broken("wrong", `${what}, and a row accepted after it is there`);
    }
    this.#checkWhole(count);
    // A deletion that was only begun may have hidden the last rows from the count.
    this.rows = this.rows.filter((row, i) => i < count || row.deleted === "maybe");
    for (const row of this.rows) row.isUnsure = false;
    this.#at = new Map(this.rows.map((row, i) => [placeOf(row.series, row.time), i]));
    this.durable = this.rows.length;
  }

  /** A batch is there as a whole, or not at all. */
  #checkWhole(count: number): void {
    const last = this.rows[count - 1];
    const next = this.rows[count];
    if (last === undefined || next === undefined || last.batch === 0) return;
    if (last.batch !== next.batch || next.deleted !== "no") return;
    throw new Broken("wrong", `a batch came back in part: without ${nameOf(next)}`);
  }

  /** The rows that a store holds, each checked. */
  async #read(store: Engine): Promise<Set<number>> {
    const found = new Set<number>();
    for await (const { labels, times, values } of store.select({})) {
      const series = Number(labels["series"]);
      if (!isSame(labels, labelsOf(series))) {
        throw new Broken("wrong", `nobody wrote a series ${JSON.stringify(labels)}`);
      }
      for (const [i, time] of times.entries()) {
        const at = this.#at.get(placeOf(series, time));
        const what = `the row at ${time} of series ${series}`;
        if (at === undefined) throw new Broken("wrong", `nobody wrote ${what}`);
        if (this.rows[at]!.deleted === "yes") throw new Broken("wrong", `${what} was deleted`);
        if (found.has(at)) throw new Broken("wrong", `${what} is told twice`);
        if (!isSameBits(values[i]!, valueOf(series, time))) {
          throw new Broken("wrong", `${what} has another value`);
        }
        found.add(at);
      }
    }
    return found;
  }
}

export function labelsOf(series: number): Labels {
  const name = String(series);
  return series % 3 === 0
    ? { __name__: "m", series: name }
    : { __name__: "m", series: name, z: "é" };
}

export function valueOf(series: number, time: number): number {
  const mixed = Math.imul(series + 1, 0x9e37_79b1) ^ Math.imul(time + 1, 0x85eb_ca6b);
  if ((mixed >>> 24) % 16 === 0) return AWKWARD[(mixed >>> 8) % AWKWARD.length]!;
  return mixed / 1000 + time;
}

/** Opens an engine that does nothing on its own: no clock decides what a trial does. */
export function openEngine(disk: Disk, plan: Plan): Promise<Engine> {
  return open({
    dir: "/data",
    disk,
    plan,
    hashSeed: HASH_SEED,
    memoryBytesMax: MEMORY_BYTES_MAX,
    maintainEveryMs: 0,
    closeDelayMs: 2 ** 31 - 1,
    prefaultBytes: 0,
  });
}

function placeOf(series: number, time: number): number {
  return time * 4096 + series;
}

function nameOf({ series, time }: KnownRow): string {
  return `the row at ${time} of series ${series}`;
}

function isSame(labels: Labels, expected: Labels): boolean {
  const names = Object.keys(labels);
  return (
    names.length === Object.keys(expected).length &&
    names.every((name) => labels[name] === expected[name])
  );
}

function isSameBits(value: number, expected: number): boolean {
  number[0] = value;
  const [low, high] = words;
  number[0] = expected;
  return words[0] === low && words[1] === high;
}
