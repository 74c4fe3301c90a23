import { keyOf, makeBatch, makeColumns, reserveMemory, type RowBatch } from "@varve/bytes";
import { slabAllocator } from "@varve/allocator/slab";
import { xorChunk } from "@varve/chunk/xor";
import type { BlockManager, Disk, Lsn, SampleColumns, SeriesKeys, Variant } from "@varve/contracts";
import { Broken } from "../../row.ts";

/** A sample that a log holds. Its value follows from its series and time. */
export interface LoggedRow {
  readonly ref: number;
  readonly time: number;
}

/** What a log outside would hold, and what the part said of it. */
export class KnownLog {
  readonly batches = new Map<Lsn, readonly LoggedRow[]>();
  readonly retentionMs: number;
  lsn: Lsn = 0;
  durableLsn: Lsn = 0;
  /** No row has come at this time or after it. */
  clock = 0;
  readonly #lsns = new Map<number, Lsn>();

  constructor(retentionMs: number) {
    this.retentionMs = retentionMs;
  }

  /** The same, to be changed apart. */
  copy(): KnownLog {
    const copy = new KnownLog(this.retentionMs);
    copy.lsn = this.lsn;
    copy.durableLsn = this.durableLsn;
    copy.clock = this.clock;
    for (const [lsn, rows] of this.batches) copy.batches.set(lsn, rows);
    for (const [place, lsn] of this.#lsns) copy.#lsns.set(place, lsn);
    return copy;
  }

  /** The log has it: from here on nothing may lose it. */
  log(rows: readonly LoggedRow[]): Lsn {
    this.lsn += 1;
    this.batches.set(this.lsn, rows);
    for (const { ref, time } of rows) this.#lsns.set(placeOf(ref, time), this.lsn);
    return this.lsn;
  }

  /** Reads all there is: every sample of batches up to `until`, and nothing that the log does not know. */
  check(blocks: BlockManager, until: Lsn, when: string): void {
    const found = this.#read(blocks, when);
    const tooOld = this.clock - this.retentionMs;
    for (const [place, lsn] of this.#lsns) {
      if (lsn > until || found.has(place) || timeOf(place) < tooOld) continue;
      throw new Broken("lost", `${nameOf(place)} of batch ${lsn} is missing ${when}`);
    }
  }

  #read(blocks: BlockManager, when: string): Set<number> {
    const refs = Uint32Array.from({ length: SERIES_MAX }, (_, i) => i + 1);
    const found = new Set<number>();
    using head = blocks.pin(refs, refs.length);
    using stored = blocks.pinBlocks(TIME_MIN, TIME_MAX);
    for (const [i, ref] of refs.entries()) {
      const columns = makeColumns({ capacity: 1 });
      head.read(i, TIME_MIN, TIME_MAX, columns);
      this.#add(found, ref, columns, when);
    }
    for (const block of stored.blocks) {
      const series = block.select([]);
      while (series.next()) {
        const ref = refOf(series.key, series.keyLength);
        const columns = makeColumns({ capacity: 1 });
        series.read(TIME_MIN, TIME_MAX, columns);
        this.#add(found, ref, columns, when);
      }
    }
    return found;
  }

  #add(found: Set<number>, ref: number, columns: SampleColumns, when: string): void {
    const { times, values, length } = columns;
    for (let i = 0; i < length; i += 1) {
      const time = times[i]!;
      const place = placeOf(ref, time);
      if (!this.#lsns.has(place))
        throw new Broken("wrong", `nobody wrote ${nameOf(place)} ${when}`);
      if (i > 0 && time <= times[i - 1]!) {
        throw new Broken("wrong", `${nameOf(place)} is out of order ${when}`);
      }
      if (!Object.is(values[i], sampleOf(ref, time))) {
        throw new Broken("wrong", `${nameOf(place)} has another value ${when}`);
      }
      found.add(place);
    }
  }
}

/** A block manager with memory of its own, as a process has that just started. */
export interface OpenBlocks {
  readonly blocks: BlockManager;
  readonly batch: RowBatch;
}

export const SERIES_MAX = 12;
const TIME_MIN = Number.MIN_SAFE_INTEGER;
const TIME_MAX = Number.MAX_SAFE_INTEGER;
const MEMORY_BYTES_MAX = 16 * 2 ** 20;
const ROWS_MAX = 64;
const STORE_ID = "00112233445566778899aabbccddeeff";
const AWKWARD = [0, -0, Number.NaN, Number.NEGATIVE_INFINITY, Number.MIN_VALUE];

const KEYS = Array.from({ length: SERIES_MAX + 1 }, (_, ref) =>
  keyOf({ __name__: "series", ref: String(ref) }),
);
const REFS = new Map(KEYS.map((key, ref) => [textOf(key, key.length), ref]));

const keys: SeriesKeys = {
  nextRef: SERIES_MAX + 1,
  keyBytes: (ref) => KEYS[ref]!.length,
  copyKey(ref, into, at) {
    into.set(KEYS[ref]!, at);
    return KEYS[ref]!.length;
  },
};

export async function openBlocks(
  disk: Disk,
  variant: Variant<"block-manager">,
): Promise<OpenBlocks> {
  const memory = reserveMemory({ bytesMax: MEMORY_BYTES_MAX });
  const allocator = await slabAllocator().open({ memory, bytesMax: MEMORY_BYTES_MAX / 2 });
  const blocks = await variant.open({
    memory,
    disk,
    dir: "/store/sealed",
    blocksDir: "/store",
    quarantineDir: "/store/quarantine",
    storeId: STORE_ID,
    allocator,
    chunk: await xorChunk().open({}),
    keys,
    seriesExpected: 0,
  });
  return { blocks, batch: makeBatch(memory, ROWS_MAX) };
}

/** Fills the batch with OPEN rows. */
export function fillRows(batch: RowBatch, rows: readonly LoggedRow[]): void {
  batch.clear();
  for (const { ref, time } of rows) batch.refs[batch.add(time, sampleOf(ref, time))] = ref;
}

function sampleOf(ref: number, time: number): number {
  const mixed = Math.imul(ref, 0x9e37_79b1) ^ Math.imul(time + 1, 0x85eb_ca6b);
  if ((mixed >>> 24) % 16 === 0) return AWKWARD[(mixed >>> 8) % AWKWARD.length]!;
  return mixed / 1000 + time;
}

function refOf(key: Uint8Array, length: number): number {
  const ref = REFS.get(textOf(key, length));
  if (ref === undefined) throw new Broken("wrong", "a block holds a series that nobody wrote");
  return ref;
}

function textOf(bytes: Uint8Array, length: number): string {
  return Buffer.from(bytes.subarray(0, length)).toString("latin1");
}

function placeOf(ref: number, time: number): number {
  return time * 64 + ref;
}

function timeOf(place: number): number {
  return Math.floor(place / 64);
}

function nameOf(place: number): string {
  return `the sample at ${timeOf(place)} of series ${place % 64}`;
}
