import { keyOf, labelsOf, makeBatch, makeRecordBuffer, reserveMemory } from "@varve/bytes";
import {
  ACCEPTED,
  isStorageError,
  type Labels,
  type RecordBuffer,
  type RecordCodec,
  type RecordVisitor,
  type RowStatus,
} from "@varve/contracts";
import fc from "fast-check";
import { expect } from "vitest";

export interface Row {
  readonly ref: number;
  readonly time: number;
  readonly bits: bigint;
  readonly labels?: Labels;
  readonly isNew?: boolean;
  readonly status?: RowStatus;
}

/** What a visitor was told, as comparable values. */
export type Told =
  | { readonly series: number; readonly labels: Labels }
  | { readonly ref: number; readonly time: number; readonly bits: bigint };

export const memory = reserveMemory({ bytesMax: 2 ** 26 });

/** Encodes rows behind one that does not count, so that a range's start matters. */
export function encode(
  codec: RecordCodec,
  rows: readonly Row[],
  into: RecordBuffer = makeRecordBuffer({ bytes: 1 }),
): RecordBuffer {
  const batch = makeBatch(memory, rows.length + 2);
  batch.clear();
  for (const row of [{ ref: 99, time: 5, bits: 0n, status: ACCEPTED }, ...rows]) {
    const i = batch.add(row.time, 0);
    const key = row.labels === undefined ? new Uint8Array(0) : keyOf(row.labels);
    batch.reserveKey(i, key.length);
    batch.keys.set(key, batch.keyAt[i]);
    batch.keyAt[i + 1] = batch.keyAt[i]! + key.length;
    batch.refs[i] = row.ref;
    batch.isNew[i] = row.isNew === true ? 1 : 0;
    batch.status[i] = row.status ?? ACCEPTED;
    batch.valueWords[2 * i] = Number(BigInt.asIntN(32, row.bits));
    batch.valueWords[2 * i + 1] = Number(BigInt.asIntN(32, row.bits >> 32n));
  }
  codec.encode(batch, 1, rows.length + 1, into);
  batch.dispose();
  return into;
}

export function recordsOf(into: RecordBuffer): Uint8Array[] {
  return Array.from({ length: into.count }, (_, i) =>
    into.bytes.slice(i === 0 ? 0 : into.ends[i - 1], into.ends[i]),
  );
}

/** Collects what is told, copying it at once: it is valid only during the call. */
export function listen(told: Told[]): RecordVisitor {
  return {
    series(ref, bytes, from, until) {
      told.push({ series: ref, labels: labelsOf(bytes, from, until) });
    },
    samples(refs, times, values, count) {
      const words = new BigUint64Array(values.buffer, values.byteOffset, count);
      for (let i = 0; i < count; i += 1) {
        told.push({ ref: refs[i]!, time: times[i]!, bits: words[i]! });
      }
    },
  };
}

export function decodeAll(codec: RecordCodec, records: readonly Uint8Array[]): Told[] {
  const told: Told[] = [];
  for (const record of records) {
    expect(codec.decode(record, 0, record.length, listen(told))).toBe(true);
  }
  return told;
}

/**
 * Decodes a record amid two kinds of neighbours, which must not matter. Returns what was told, or
 * "corrupt"; any other failure is thrown.
 */
export function decodeAmong(codec: RecordCodec, record: Uint8Array): Told[] | "corrupt" {
  const answers = [0x00, 0xff].map((around) => {
    const whole = new Uint8Array(record.length + 40).fill(around);
    whole.set(record, 20);
    const told: Told[] = [];
    try {
      codec.decode(whole, 20, 20 + record.length, listen(told));
      return told;
    } catch (error) {
      if (!isStorageError(error, "WAL_CORRUPT")) throw error;
      return "corrupt";
    }
  });
  expect(answers[0]).toEqual(answers[1]);
  return answers[0]!;
}

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const longText = fc.constantFrom(
  "x".repeat(127),
  "y".repeat(128),
  "z".repeat(20_000),
  "é".repeat(200),
);
const labels = fc.dictionary(text, fc.oneof({ weight: 9, arbitrary: text }, longText), {
  minKeys: 1,
  maxKeys: 12,
  noNullPrototype: true,
});

/** A row with refs, times and bits of every size. */
export const rowArbitrary: fc.Arbitrary<Row> = fc.record({
  ref: fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 2 ** 32 - 1 })),
  time: fc.oneof(fc.integer({ min: -9000, max: 9000 }), fc.maxSafeInteger()),
  bits: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constant(0x7ff0000000000002n)),
  labels,
  isNew: fc.boolean(),
  status: fc.constantFrom(ACCEPTED, ACCEPTED, ACCEPTED, 0, 2, 3, 5),
});

/** A label set of `count` labels. */
export function manyLabels(count: number): Labels {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`label_${i}`, `value ${i}`]));
}
