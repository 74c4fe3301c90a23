import { fromScalar } from "@varve/bytes";
import { NO_SERIES, type ChunkCodec, type Variant } from "@varve/contracts";
import { plainChunk } from "../../src/company/plain-chunk.ts";
import { dullChunk, dullLocks } from "./small.ts";

/** Believes that keys with equal hashes are equal. */
export function hashIndex(): Variant<"series-index"> {
  return {
    slot: "series-index",
    name: "hash",
    traits: { persistent: false },
    open({ seriesMax }) {
      const refs = new Map<string, number>();
      return fromScalar(
        {
          get: (_key, low, high) => refs.get(`${low} ${high}`) ?? NO_SERIES,
          set: (_key, low, high, ref) => void refs.set(`${low} ${high}`, ref),
          delete: (_key, low, high) => void refs.delete(`${low} ${high}`),
        },
        { seriesMax },
      );
    },
  };
}

/** Opens as an excluding lock would, and excludes nobody. */
export function openLocks(): Variant<"locks"> {
  return dullLocks();
}

export type ChunkBug =
  | "quiets NaNs"
  | "writes before it refuses"
  | "trusts lengths"
  | "reads its own header"
  | "keeps state of its own"
  | "overflows its count";

/** A codec that does one thing wrong. */
export function wrongChunk(bug: ChunkBug): Variant<"chunk"> {
  return {
    ...dullChunk(),
    name: `dull that ${bug}`,
    open: () => ({ ...plainChunk(), ...CHANGES[bug] }),
  };
}

const plain = plainChunk();
let shared = 0;

const CHANGES: Readonly<Record<ChunkBug, Partial<ChunkCodec>>> = {
  "quiets NaNs": {
    decode(bytes, at, length, count, into) {
      plain.decode(bytes, at, length, count, into);
      const values = [...into.values.subarray(0, into.length)]; // What plain arrays do to the stale marker.
      into.values.set(values.map((value) => (Number.isNaN(value) ? Number.NaN : value)));
    },
  },
  "writes before it refuses": {
    append(state, stateAt, bytes, at, capacity, time, low, high) {
      const end = at + plain.length(state, stateAt);
      if (end < bytes.length) bytes[end] = 1;
      return plain.append(state, stateAt, bytes, at, capacity, time, low, high);
    },
  },
  "trusts lengths": {
    decode: (bytes, at, length, count, into) =>
      plain.decode(bytes, at, Math.min(bytes.length - at, length + 16), count, into),
  },
  "reads its own header": {
    decode: (bytes, at, length, count, into) =>
      plain.decode(bytes, at, length, Math.min(count, plain.storedCount(bytes, at, length)), into),
  },
  "keeps state of its own": {
    open(state, stateAt, bytes, at) {
      shared = 0;
      plain.open(state, stateAt, bytes, at);
    },
    append(state, stateAt, bytes, at, capacity, time, low, high) {
      state.words[stateAt / 4] = shared;
      const isKept = plain.append(state, stateAt, bytes, at, capacity, time, low, high);
      if (isKept) shared += 1;
      return isKept;
    },
  },
  "overflows its count": {
    append(state, stateAt, bytes, at, capacity, time, low, high) {
      const count = plain.count(state, stateAt);
      if (count < 65_535) return plain.append(state, stateAt, bytes, at, capacity, time, low, high);
      state.words[stateAt / 4] = count + 1;
      return true;
    },
  },
};
