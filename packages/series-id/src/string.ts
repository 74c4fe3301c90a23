import {
  KEY_SEPARATOR,
  type HashSeed,
  type SeriesHasher,
  type SeriesIdNeeds,
  type Variant,
  type WriteBatch,
} from "@varve/contracts";
import { finish } from "./mix.ts";

/**
 * Joins the labels of each key to a string `{name="value",…}` and hashes that: the seed's way.
 *
 * Decoding, escaping and joining are paid for each row, which is what this variant is there to show.
 */
export function stringId(): Variant<"series-id"> {
  return {
    slot: "series-id",
    name: "string",
    traits: { stable: false },
    open: ({ seed }: SeriesIdNeeds) => new StringHasher(seed),
  };
}

/** Multipliers of the two lanes: odd, and without a pattern (from MurmurHash3). */
const PRIME = 0x85ebca6b;
const OTHER_PRIME = 0xcc9e2d51;

class StringHasher implements SeriesHasher {
  readonly #seed: HashSeed;

  constructor(seed: HashSeed) {
    this.#seed = seed;
  }

  hash(batch: WriteBatch, from: number, until: number): void {
    const { keys, keyAt, hashes } = batch;
    const text = Buffer.from(keys.buffer, keys.byteOffset, keys.byteLength);
    for (let row = from; row < until; row += 1) {
      this.#hashString(join(text, keyAt[row]!, keyAt[row + 1]!), hashes, row);
    }
  }

  #hashString(joined: string, hashes: Uint32Array, row: number): void {
    let lane = this.#seed.low ^ joined.length;
    let other = this.#seed.high ^ joined.length;
    for (let i = 0; i < joined.length; i += 1) {
      const unit = joined.charCodeAt(i);
      lane = Math.imul(lane ^ unit, PRIME);
      lane ^= lane >>> 15;
      other = Math.imul(other ^ unit, OTHER_PRIME);
      other ^= other >>> 13;
    }
    finish(lane, other, hashes, row);
  }
}

/** Writes a key as text. Escaped, so that no two label sets have the same text. */
function join(bytes: Buffer, from: number, until: number): string {
  let joined = "{";
  let at = from;
  while (at < until) {
    const nameEnd = endOf(bytes, at, until);
    const valueEnd = endOf(bytes, nameEnd + 1, until);
    const name = escape(bytes.toString("utf8", at, nameEnd));
    const value = escape(bytes.toString("utf8", nameEnd + 1, valueEnd));
    joined += at === from ? `${name}="${value}"` : `,${name}="${value}"`;
    at = valueEnd + 1;
  }
  return `${joined}}`;
}

/** Hardly any label needs it, and asking first more than halves the cost of a key. */
function escape(text: string): string {
  return /[\\",=]/.test(text) ? text.replaceAll(/[\\",=]/g, "\\$&") : text;
}

function endOf(bytes: Buffer, from: number, until: number): number {
  let at = from;
  while (at < until && bytes[at] !== KEY_SEPARATOR) at += 1;
  return at;
}
