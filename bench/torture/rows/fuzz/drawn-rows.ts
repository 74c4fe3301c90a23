import { keyOf, makeBatch, makeRecordBuffer, type Random, reserveMemory } from "@varve/bytes";
import { ACCEPTED, type Labels, type RecordCodec } from "@varve/contracts";
import type { BitSample } from "./xor.ts";

/** A row of a batch: its key stands with the first row of a series. */
export interface DrawnRow extends BitSample {
  readonly ref: number;
  readonly key: Uint8Array;
  readonly isNew: boolean;
}

const ROWS_MAX = 16;
const batch = makeBatch(reserveMemory({ bytesMax: 4 * 2 ** 20 }), ROWS_MAX);
const buffer = makeRecordBuffer({ bytes: 4096 });

const NAMES = [
  "__name__",
  "host",
  "region",
  "le",
  "ü",
  "__proto__",
  "数字",
  "a-b",
  "z".repeat(130),
];
const VALUES = [
  "",
  "a",
  "eu-west",
  "\u0000",
  "é",
  "🜚",
  "x".repeat(127),
  "x".repeat(128),
  "constructor",
];

/** Labels of all kinds: never none. */
export function drawLabels(random: Random): Labels {
  const entries: [string, string][] = [["id", String(random.below(1000))]];
  for (let left = random.below(5); left > 0; left -= 1) {
    entries.push([random.pick(NAMES), random.pick(VALUES)]);
  }
  return Object.fromEntries(entries);
}

/** Rows of a few series. */
export function drawRows(random: Random): DrawnRow[] {
  const rows: DrawnRow[] = [];
  const known = new Set<number>();
  const refMax = random.chance(0.8) ? 20 : 2 ** 32 - 1;
  const begin = random.chance(0.8)
    ? 1_700_000_000_000
    : random.pick([0, -5, 2 ** 53 - 1000, -(2 ** 53) + 10]);
  for (let left = 1 + random.below(ROWS_MAX); left > 0; left -= 1) {
    const ref = 1 + random.below(refMax);
    rows.push({
      ref,
      key: keyOf(drawLabels(random)),
      isNew: !known.has(ref) && random.chance(0.7),
      time: BigInt(begin + random.below(random.pick([900, 3]))),
      bits: random.chance(0.5)
        ? BigInt(random.below(100)) << 48n
        : (BigInt(random.word()) << 32n) | BigInt(random.word()),
    });
    known.add(ref);
  }
  return rows;
}

/** The records of a batch of these rows, as a codec writes them. */
export function encodeRows(codec: RecordCodec, rows: readonly DrawnRow[]): Uint8Array[] {
  batch.clear();
  for (const { ref, key, isNew, time, bits } of rows) {
    const row = batch.length;
    batch.reserveKey(row, key.length);
    batch.keys.set(key, batch.keyAt[row]!);
    batch.keyAt[row + 1] = batch.keyAt[row]! + key.length;
    batch.addKeyed(Number(time), 0);
    batch.refs[row] = ref;
    batch.isNew[row] = isNew ? 1 : 0;
    batch.status[row] = ACCEPTED;
    batch.valueWords[2 * row] = Number(bits & 0xffff_ffffn) | 0;
    batch.valueWords[2 * row + 1] = Number(bits >> 32n) | 0;
  }
  buffer.clear();
  codec.encode(batch, 0, batch.length, buffer);
  const records: Uint8Array[] = [];
  let from = 0;
  for (const end of buffer.ends.subarray(0, buffer.count)) {
    records.push(buffer.bytes.slice(from, end));
    from = end;
  }
  return records;
}
