import { makeRecordBuffer, type RowBatch } from "@varve/bytes";
import { ACCEPTED, isStorageError, type RecordBuffer, type RecordCodec } from "@varve/contracts";
import { holds, same, sameList } from "../expect.ts";
import { addKeyed, bitsAt, keyAt, keyOfNumber } from "../rows.ts";

/** What a codec told of its records. */
export interface Told {
  readonly series: Map<number, string>;
  readonly samples: string[];
}

export function addRow(
  batch: RowBatch,
  n: number,
  time: number,
  [low, high]: readonly [number, number],
  isNew: boolean,
): number {
  const row = addKeyed(batch, keyOfNumber(n), { ref: n + 1, time });
  batch.valueWords[2 * row] = low;
  batch.valueWords[2 * row + 1] = high;
  batch.status[row] = ACCEPTED;
  batch.isNew[row] = isNew ? 1 : 0;
  return row;
}

export function check(codec: RecordCodec, batch: RowBatch, from: number, until: number): void {
  const into = makeRecordBuffer({ bytes: 64 });
  codec.encode(batch, from, until, into);
  using inMemory = makeRecordBuffer({ bytes: 64, memory: batch.memory });
  codec.encode(batch, from, until, inMemory);
  same(inMemory.length, into.length, "bytes written to the linear memory");
  sameList(
    inMemory.bytes.subarray(0, into.length),
    into.bytes.subarray(0, into.length),
    "bytes in the linear memory",
  );
  checkTold(tell(codec, into), batch, from, until);
}

export function checkTold(told: Told, batch: RowBatch, from: number, until: number): void {
  const wanted: string[] = [];
  const keys = new Map<number, Set<string>>();
  for (let row = from; row < until; row += 1) {
    if (batch.status[row] !== ACCEPTED) continue;
    const ref = batch.refs[row]!;
    keys.set(ref, (keys.get(ref) ?? new Set()).add(hexOf(keyAt(batch, row))));
    wanted.push(`${ref} ${batch.times[row]} ${bitsAt(batch.values, row)}`);
    if (batch.isNew[row] === 1) holds(told.series.has(ref), `new series ${ref} is told`);
  }
  sameList(told.samples, wanted, "samples told");
  for (const [ref, key] of told.series) {
    holds(keys.get(ref)?.has(key) ?? false, `series ${ref} is told with its key, got ${key}`);
  }
}

/** Decodes every record, each with other bytes around it. */
export function tell(codec: RecordCodec, from: RecordBuffer): Told {
  const told: Told = { series: new Map(), samples: [] };
  let start = 0;
  for (let i = 0; i < from.count; i += 1) {
    const end = from.ends[i]!;
    holds(end > start, `record ${i} has bytes`);
    holds(codec.decode(from.bytes, start, end, visitorOf(told)), `record ${i} is decoded`);
    start = end;
  }
  same(start, from.length, "end of the last record");
  return told;
}

export function visitorOf(told: Told): Parameters<RecordCodec["decode"]>[3] {
  return {
    series(ref, bytes, from, until) {
      told.series.set(ref, hexOf(bytes.subarray(from, until)));
    },
    samples(refs, times, values, count) {
      for (let i = 0; i < count; i += 1) {
        told.samples.push(`${refs[i]} ${times[i]} ${bitsAt(values, i)}`);
      }
    },
  };
}

/** What a record of `until` bytes decodes to, with other bytes around it. */
export function outcomeOf(
  codec: RecordCodec,
  record: Uint8Array,
  until: number,
  around: number,
): string {
  const bytes = new Uint8Array(until + 64).fill(around);
  bytes.set(record.subarray(0, until), 32);
  const told: Told = { series: new Map(), samples: [] };
  try {
    codec.decode(bytes, 32, 32 + until, visitorOf(told));
  } catch (error) {
    if (isStorageError(error, "WAL_CORRUPT")) return "refused";
    throw error;
  }
  return JSON.stringify({ series: [...told.series], samples: told.samples });
}

export function recordAt(buffer: RecordBuffer, i: number): Uint8Array {
  return buffer.bytes.slice(i === 0 ? 0 : buffer.ends[i - 1], buffer.ends[i]);
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
