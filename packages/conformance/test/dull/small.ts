import { fromScalar, keyOf, readU32, VarintReader, writeU32, writeVarint } from "@varve/bytes";
import {
  ACCEPTED,
  NO_SERIES,
  StorageError,
  type KeyEncoder,
  type LabelLimits,
  type Labels,
  type Locks,
  type RecordCodec,
  type Variant,
} from "@varve/contracts";
import { plainAllocator } from "../../src/company/plain-allocator.ts";
import { PLAIN_ENCODING, plainChunk } from "../../src/company/plain-chunk.ts";

export function dullKey(): Variant<"label-key"> {
  return {
    slot: "label-key",
    name: "dull",
    traits: { caches: false },
    open: ({ limits }) => keyEncoder(limits),
  };
}

function keyEncoder(limits: LabelLimits): KeyEncoder {
  return {
    encode(labels: Labels, batch, row) {
      const refuse = (why: string, label: string): never => {
        throw new StorageError("LABELS", `label ${label}: ${why}`, { facts: { label } });
      };
      let count = 0;
      for (const [name, value] of Object.entries(labels)) {
        if (typeof value !== "string") refuse("its value is a string", name);
        if (value === "") continue;
        count += 1;
        if (name === "") refuse("its name is empty", name);
        if (Buffer.byteLength(name) > limits.nameBytesMax) refuse("its name is short", name);
        if (Buffer.byteLength(value) > limits.valueBytesMax) refuse("its value is short", name);
      }
      if (count === 0 || count > limits.labelsMax) refuse(`${count} labels`, "");
      const key = keyOf(labels);
      batch.reserveKey(row, key.length);
      batch.keys.set(key, batch.keyAt[row]);
      batch.keyAt[row + 1] = batch.keyAt[row]! + key.length;
    },
  };
}

export function dullId(): Variant<"series-id"> {
  return {
    slot: "series-id",
    name: "dull",
    traits: { stable: false },
    open: ({ seed }) => ({
      hash(batch, from, until) {
        for (let row = from; row < until; row += 1) {
          let low = seed.low | 0;
          let high = seed.high | 0;
          for (let at = batch.keyAt[row]!; at < batch.keyAt[row + 1]!; at += 1) {
            low = Math.imul(low ^ batch.keys[at]!, 0x01000193) + 1;
            high = Math.imul(high ^ batch.keys[at]!, 0x85ebca6b) + 1;
          }
          batch.hashes[2 * row] = low;
          batch.hashes[2 * row + 1] = high ^ (low >>> 15);
        }
      },
    }),
  };
}

export function dullIndex(): Variant<"series-index"> {
  return {
    slot: "series-index",
    name: "dull",
    traits: { persistent: false },
    open({ seriesMax }) {
      const refs = new Map<string, number>();
      const nameOf = (key: Uint8Array): string => Buffer.from(key).toString("latin1");
      return fromScalar(
        {
          get: (key) => refs.get(nameOf(key)) ?? NO_SERIES,
          set: (key, _low, _high, ref) => void refs.set(nameOf(key), ref),
          delete: (key) => void refs.delete(nameOf(key)),
        },
        { seriesMax },
      );
    },
  };
}

const SERIES_TYPE = 140;
const SAMPLE_TYPE = 141;

/** One record a series, one record a sample. */
export function dullRecord(): Variant<"record"> {
  const codec: RecordCodec = {
    encode(batch, from, until, into) {
      for (let row = from; row < until; row += 1) {
        if (batch.status[row] !== ACCEPTED) continue;
        const ref = batch.refs[row]!;
        if (batch.isNew[row] === 1) {
          codec.encodeSeries(ref, batch.keys, batch.keyAt[row]!, batch.keyAt[row + 1]!, into);
        }
        into.reserve(32);
        into.bytes[into.length] = SAMPLE_TYPE;
        writeU32(into.bytes, into.length + 1, ref);
        writeU32(into.bytes, into.length + 5, batch.valueWords[2 * row + 1]!);
        writeU32(into.bytes, into.length + 9, batch.valueWords[2 * row]!);
        into.length = writeVarint(into.bytes, into.length + 13, batch.times[row]!);
        into.endRecord();
      }
    },
    encodeSeries(ref, key, keyFrom, keyUntil, into) {
      into.reserve(5 + keyUntil - keyFrom);
      into.bytes[into.length] = SERIES_TYPE;
      writeU32(into.bytes, into.length + 1, ref);
      into.bytes.set(key.subarray(keyFrom, keyUntil), into.length + 5);
      into.length += 5 + keyUntil - keyFrom;
      into.endRecord();
    },
    decode(bytes, from, until, visitor) {
      const type = bytes[from];
      if (type !== SERIES_TYPE && type !== SAMPLE_TYPE) return false;
      if (until - from < (type === SERIES_TYPE ? 6 : 14))
        throw new StorageError("WAL_CORRUPT", "short");
      const ref = readU32(bytes, from + 1);
      if (type === SERIES_TYPE) {
        visitor.series(ref, bytes, from + 5, until);
        return true;
      }
      const reader = new VarintReader();
      reader.reset(bytes, from + 13, until);
      const time = reader.signed();
      if (reader.failed || reader.at !== until) throw new StorageError("WAL_CORRUPT", "bad time");
      const words = Uint32Array.of(readU32(bytes, from + 9), readU32(bytes, from + 5));
      visitor.samples(
        Uint32Array.of(ref),
        Float64Array.of(time),
        new Float64Array(words.buffer),
        1,
      );
      return true;
    },
  };
  return {
    slot: "record",
    name: "dull",
    traits: { prometheusReadable: false },
    open: () => codec,
  };
}

export function dullAllocator(): Variant<"allocator"> {
  return {
    slot: "allocator",
    name: "dull",
    traits: { linear: false, recycles: false },
    open: plainAllocator,
  };
}

export function dullChunk(): Variant<"chunk"> {
  return {
    slot: "chunk",
    name: "dull",
    traits: { encoding: PLAIN_ENCODING, needsLinear: false },
    open: plainChunk,
  };
}

export function dullLocks(): Variant<"locks"> {
  return {
    slot: "locks",
    name: "dull",
    traits: { excludes: false },
    open(): Locks {
      let acquisitions = 0;
      return {
        acquire() {
          acquisitions += 1;
        },
        release() {},
        get stats() {
          return { acquisitions, contended: 0 };
        },
      };
    },
  };
}

/** Spins on a word of the shared memory. */
export function spinLocks(): Variant<"locks"> {
  return {
    slot: "locks",
    name: "spin",
    traits: { excludes: true },
    open({ memory }): Locks {
      const word = memory.words(memory.take(64), 1);
      let acquisitions = 0;
      return {
        acquire() {
          while (Atomics.compareExchange(word, 0, 0, 1) !== 0) Atomics.wait(word, 0, 1, 1);
          acquisitions += 1;
        },
        release() {
          Atomics.store(word, 0, 0);
          Atomics.notify(word, 0, 1);
        },
        get stats() {
          return { acquisitions, contended: 0 };
        },
      };
    },
  };
}
