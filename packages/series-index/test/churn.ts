import { makeRandom, type RowBatch } from "@varve/bytes";
import type { Variant } from "@varve/contracts";
import { expect } from "vitest";
import { openWorld, type World } from "./world.ts";

const ROWS = 1000;

export interface ChurnOptions {
  readonly seed: number;
  readonly rounds: number;
  /** New series of a round. */
  readonly series: number;
  /** Rounds that a series lives. */
  readonly life: number;
  /** Part of the series that never goes. */
  readonly staying?: number;
  /** Whether a round's series go in the order in which they came, or in any. */
  readonly inOrder?: boolean;
  /** Length of the keys of a round, in bytes. */
  readonly keyBytes?: (round: number) => number;
}

/** What an index held at the end of each round. */
export interface Churned extends World {
  readonly bytes: readonly number[];
  readonly growths: readonly number[];
}

/**
 * Rounds of new series, each of which expires some rounds later. Series n has ref n + 1, so a byte a series is the whole
 * model: after each round the size, and some of all series that were ever there, are checked by key and by ref.
 */
export async function churn(
  variant: Variant<"series-index">,
  options: ChurnOptions,
): Promise<Churned> {
  const { seed, rounds, series, life, staying = 0, inOrder = false } = options;
  const { keyBytes = () => 72 } = options;
  const random = makeRandom(seed);
  const world = await openWorld(variant, { bytesMax: 2 ** 27, rows: ROWS });
  const { batch, index } = world;
  const isLive = new Uint8Array(rounds * series);
  const lengthOf = (number: number): number => keyBytes(Math.floor(number / series));
  let size = 0;
  const bytes: number[] = [];
  const growths: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const why = `seed ${seed}, round ${round}`;
    for (let first = round * series; first < (round + 1) * series; first += ROWS) {
      fillNumbered(batch, (row) => first + row, lengthOf);
      expect(index.insert(batch, 0, ROWS), why).toBe(ROWS);
    }
    isLive.fill(1, round * series, (round + 1) * series);
    size += series;
    const going: number[] = [];
    const old = round - life;
    for (let n = old * series; old >= 0 && n < (old + 1) * series; n += 1) {
      if (random.unit() >= staying) going.push(n);
    }
    if (!inOrder) shuffle(going, random);
    for (let from = 0; from < going.length; from += ROWS) {
      const refs = Uint32Array.from(going.slice(from, from + ROWS), (n) => n + 1);
      index.drop(refs, refs.length);
    }
    for (const n of going) isLive[n] = 0;
    size -= going.length;
    expect([index.size, index.nextRef], why).toEqual([size, (round + 1) * series + 1]);
    const known = isLive.subarray(0, (round + 1) * series);
    const step = 5 + 5 * round; // As many checks after each round.
    checkSome(world, known, { lengthOf, first: random.below(step), step }, why);
    bytes.push(index.stats.bytes);
    growths.push(index.stats.growths);
  }
  return { ...world, bytes, growths };
}

/** Checks every `step`th series from `first` on: found under its ref while it lives, unknown once it went. */
function checkSome(
  { batch, index }: World,
  isLive: Uint8Array,
  options: { lengthOf: (number: number) => number; first: number; step: number },
  why: string,
): void {
  const { lengthOf, first, step } = options;
  const into = new Uint8Array(4096);
  for (let from = first; from + step * ROWS <= isLive.length; from += step * ROWS) {
    const numberOf = (row: number): number => from + step * row;
    fillNumbered(batch, numberOf, lengthOf);
    index.find(batch, 0, ROWS);
    for (let row = 0; row < ROWS; row += 1) {
      const ref = numberOf(row) + 1;
      const expected = isLive[ref - 1] === 1 ? ref : 0;
      if (batch.refs[row] !== expected)
        expect(batch.refs[row], `${why}, ref ${ref}`).toBe(expected);
      const length = index.copyKey(ref, into, 0);
      const at = batch.keyAt[row]!;
      const key = batch.keys.subarray(at, at + (expected === 0 ? 0 : lengthOf(ref - 1)));
      if (Buffer.compare(into.subarray(0, length), key) !== 0) {
        throw new Error(`${why}: the key of ref ${ref} is another`);
      }
      if (index.keyBytes(ref) !== length) throw new Error(`${why}: keyBytes of ref ${ref}`);
    }
  }
}

/** Fills a batch with a thousand rows: number and filling, and a hash of the number. */
function fillNumbered(
  batch: RowBatch,
  numberOf: (row: number) => number,
  lengthOf: (number: number) => number,
): void {
  batch.clear();
  for (let row = 0; row < ROWS; row += 1) {
    const number = numberOf(row);
    const length = lengthOf(number);
    batch.add(0, 0);
    batch.reserveKey(row, length);
    const at = batch.keyAt[row]!;
    batch.keys.fill(0x61 + (number % 26), at, at + length);
    for (let i = 0; i < 4; i += 1) batch.keys[at + i] = number >>> (8 * i);
    batch.keyAt[row + 1] = at + length;
    batch.hashes[2 * row] = Math.imul(number ^ (number >>> 7), 0x9e3779b1);
    batch.hashes[2 * row + 1] = Math.imul(number, 0x85ebca6b) ^ (number >>> 3);
  }
}

function shuffle(numbers: number[], random: { below(bound: number): number }): void {
  for (let i = numbers.length - 1; i > 0; i -= 1) {
    const j = random.below(i + 1);
    [numbers[i], numbers[j]] = [numbers[j]!, numbers[i]!];
  }
}
