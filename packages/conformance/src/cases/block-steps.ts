import { makeBatch, makeColumns, reserveMemory, type Random, type RowBatch } from "@varve/bytes";
import {
  ACCEPTED,
  CONFLICT,
  OUT_OF_ORDER,
  REPEATED,
  STATUS_NAMES,
  type Allocator,
  type BlockManager,
  type Lsn,
  type MaintainReport,
  type Memory,
  type RowStatus,
} from "@varve/contracts";
import type { SimDisk } from "@varve/disk/sim";
import { checkedAllocator } from "../checked/allocator.ts";
import { plainAllocator } from "../company/plain-allocator.ts";
import { holds, same } from "../expect.ts";
import { addSample, bitsAt, bitsOf, randomWords, wordsOf } from "../rows.ts";
import type { Trial } from "../trial.ts";

export type BlocksTrial = Trial<"block-manager">;

export interface Row {
  readonly ref: number;
  readonly time: number;
  readonly low: number;
  readonly high: number;
}

const MEMORY_BYTES_MAX = 32 * 1024 * 1024;
/** Batches of cases are no longer than this. */
export const ROWS_MAX = 1000;

/** A block manager with company of its own: memory, and an allocator that poisons what is released. */
export interface Store {
  readonly blocks: BlockManager;
  readonly allocator: Allocator;
  readonly memory: Memory;
  readonly batch: RowBatch;
}

/** Opens a part as a process does that just started: nothing but the disk is left from before. */
export async function openStore(
  trial: BlocksTrial,
  options: { readonly disk?: SimDisk; readonly allocatorBytesMax?: number } = {},
): Promise<Store> {
  const { disk = trial.needs.disk, allocatorBytesMax = MEMORY_BYTES_MAX } = options;
  const memory = reserveMemory({ bytesMax: MEMORY_BYTES_MAX });
  const allocator = checkedAllocator(plainAllocator({ memory, bytesMax: allocatorBytesMax }));
  const batch = makeBatch(memory, ROWS_MAX);
  const blocks = await trial.open({ disk, memory, allocator });
  return { blocks, allocator, memory, batch };
}

export function rowOf(ref: number, time: number, value: number): Row {
  const [low, high] = wordsOf(value);
  return { ref, time, low, high };
}

/** Puts rows into the store's batch, OPEN. */
export function fillBatch({ batch }: Store, rows: readonly Row[]): RowBatch {
  batch.clear();
  for (const { ref, time, low, high } of rows) addSample(batch, ref, time, low, high);
  return batch;
}

/** Admits and applies rows as one batch, and returns what became of each. */
export function write(store: Store, lsn: Lsn, rows: readonly Row[]): RowStatus[] {
  const batch = fillBatch(store, rows);
  store.blocks.admit(batch, 0, batch.length);
  const statuses = [...batch.status.subarray(0, batch.length)];
  store.blocks.append(batch, 0, batch.length, lsn);
  return statuses;
}

/** Writes rows that a series cannot refuse. */
export function writeAll(store: Store, lsn: Lsn, rows: readonly Row[]): void {
  for (const [i, status] of write(store, lsn, rows).entries()) {
    same(STATUS_NAMES[status], "ACCEPTED", `status of row ${i}`);
  }
}

/** Reads one series through a pin of its own. */
export function read(store: Store, ref: number, from = -Infinity, until = Infinity): Row[] {
  using pin = store.blocks.pin(Uint32Array.of(ref), 1);
  const into = makeColumns({ capacity: 1 });
  pin.read(0, Math.max(from, Number.MIN_SAFE_INTEGER), Math.min(until, 2 ** 53), into);
  return rowsOf(ref, into);
}

export function rowsOf(
  ref: number,
  { times, values, length }: ReturnType<typeof makeColumns>,
): Row[] {
  const words = new Uint32Array(values.buffer, values.byteOffset);
  return Array.from({ length }, (_, i) => ({
    ref,
    time: times[i]!,
    low: words[2 * i]!,
    high: words[2 * i + 1]!,
  }));
}

/** Fails unless both are the same samples, bit by bit. */
export function sameRows(actual: readonly Row[], expected: readonly Row[], what: string): void {
  for (const [i, row] of expected.entries()) {
    const other = actual[i];
    holds(
      other !== undefined,
      `${what}: sample ${i} of ${expected.length} is there, at ${row.time}`,
    );
    same(other.time, row.time, `${what}: time of sample ${i}`);
    same(bitsOf(other.low, other.high), bitsOf(row.low, row.high), `${what}: bits of sample ${i}`);
  }
  same(actual.length, expected.length, `${what}: samples`);
}

/** Maintains until the log could be cut below `lsn`. */
export async function persist(blocks: BlockManager, lsn: Lsn): Promise<MaintainReport> {
  for (let i = 0; i < 200; i += 1) {
    const report = await blocks.maintain({ budgetMs: 1000, sealBeforeLsn: lsn + 1 });
    if (report.durableLsn >= lsn) return report;
  }
  throw new Error(`batches up to ${lsn} are durable after 200 calls of maintain`);
}

/** Series as the dullest store has them: arrays. */
export class BlockModel {
  readonly series = new Map<number, Row[]>();

  rowsOf(ref: number): Row[] {
    return this.series.get(ref) ?? [];
  }

  /** What must become of a row, as things are. */
  decide(row: Row): RowStatus {
    const last = this.rowsOf(row.ref).at(-1);
    if (last === undefined || row.time > last.time) return ACCEPTED;
    if (row.time < last.time) return OUT_OF_ORDER;
    return row.low >>> 0 === last.low >>> 0 && row.high >>> 0 === last.high >>> 0
      ? REPEATED
      : CONFLICT;
  }

  /** Decides rows one after the other, and keeps those accepted. */
  write(rows: readonly Row[]): RowStatus[] {
    return rows.map((row) => {
      const status = this.decide(row);
      const rows = this.rowsOf(row.ref);
      if (status === ACCEPTED) rows.push(row);
      this.series.set(row.ref, rows);
      return status;
    });
  }

  check(store: Store, what: string): void {
    for (const [ref, rows] of this.series)
      sameRows(read(store, ref), rows, `${what}, series ${ref}`);
  }
}

/** Random rows: mostly the next of a series, sometimes the same again, another value, or an older one. */
export function randomRows(
  random: Random,
  model: BlockModel,
  series: number,
  count: number,
): Row[] {
  const last = new Map<number, Row>();
  return Array.from({ length: count }, () => {
    const ref = 1 + random.below(series);
    const before = last.get(ref) ?? model.rowsOf(ref).at(-1);
    const [low, high] = randomWords(random, random.below(100));
    let row: Row = {
      ref,
      time: (before?.time ?? random.below(1000) - 500) + 1 + random.below(100),
      low,
      high,
    };
    if (before !== undefined) {
      const kind = random.below(20);
      if (kind === 0) row = before;
      else if (kind === 1) row = { ...row, time: before.time };
      else if (kind === 2) row = { ...row, time: before.time - 1 - random.below(50) };
    }
    if (before === undefined || row.time > before.time) last.set(ref, row);
    return row;
  });
}

export function checkStatuses(batch: RowBatch, expected: readonly RowStatus[], what: string): void {
  for (const [i, status] of expected.entries()) {
    const bits = bitsAt(batch.values, i);
    const row = `row ${i} (ref ${batch.refs[i]}, time ${batch.times[i]}, bits ${bits})`;
    same(STATUS_NAMES[batch.status[i]!], STATUS_NAMES[status], `${what}: status of ${row}`);
  }
}
