import { crc32c, readU32, VarintReader, writeU32, writeUvarint, writeVarint } from "@varve/bytes";
import type { Disk } from "@varve/contracts";
import { readAll } from "@varve/disk/transfer";
import {
  CRC_BYTES,
  TOMBSTONES_FILE,
  TOMBSTONES_HEADER_BYTES,
  TOMBSTONES_MAGIC,
  TOMBSTONES_VERSION,
} from "./internal/layout.ts";
import { corrupt, unsupported } from "./internal/read-errors.ts";
import { replaceFile } from "./internal/replace-file.ts";

/** Three numbers of at most ten bytes. */
const RECORD_BYTES_MAX = 30;

/** Ranges of time, by series of a block, in which samples are deleted. Series are named by their id in the index. */
export interface Tombstones {
  /** Ranges of all series together: what Prometheus calls numTombstones. */
  readonly count: number;
  /** Ids of series with ranges, ascending. */
  ids(): Uint32Array;
  /** First and last time of each range in turn, both inclusive, ascending and apart; undefined for none. */
  of(id: number): Float64Array | undefined;
  /** Adds minTime … maxTime, both inclusive, and joins it with the ranges that it touches. */
  add(id: number, minTime: number, maxTime: number): void;
  /** The same ranges, to be changed apart. */
  copy(): Tombstones;
}

/** Nothing is deleted. */
export function makeTombstones(): Tombstones {
  return new Ranges(new Map(), 0);
}

/** Reads a block's tombstones: none when the file is missing. Throws BLOCK_CORRUPT or UNSUPPORTED_VERSION. */
export function readTombstones(disk: Disk, dir: string): Tombstones {
  const path = `${dir}/${TOMBSTONES_FILE}`;
  if (disk.kind(path) === "none") return makeTombstones();
  const bytes = readAll(disk, path);
  const end = bytes.length - CRC_BYTES;
  if (end < TOMBSTONES_HEADER_BYTES) throw corrupt(path, bytes.length, "it is cut off");
  if (readU32(bytes, 0) !== TOMBSTONES_MAGIC)
    throw corrupt(path, 0, "it does not begin as it should");
  if (bytes[4] !== TOMBSTONES_VERSION) throw unsupported(path, 4, bytes[4]!);
  if (crc32c(bytes, TOMBSTONES_HEADER_BYTES, end) !== readU32(bytes, end)) {
    throw corrupt(path, end, "its checksum is wrong");
  }
  /** First and last time of each range in turn, by series, as they stand there. */
  const found = new Map<number, number[]>();
  const fields = new VarintReader();
  fields.reset(bytes, TOMBSTONES_HEADER_BYTES, end);
  while (fields.at < end) {
    const { at } = fields;
    const id = fields.unsigned();
    const minTime = fields.signed();
    const maxTime = fields.signed();
    if (fields.failed || id >= 2 ** 32 || minTime > maxTime) {
      throw corrupt(path, at, "a range is malformed");
    }
    const ranges = found.get(id);
    if (ranges === undefined) found.set(id, [minTime, maxTime]);
    else ranges.push(minTime, maxTime);
  }
  const joined = new Map<number, Float64Array>();
  let count = 0;
  for (const [id, ranges] of found) {
    const apart = join(ranges);
    joined.set(id, apart);
    count += apart.length / 2;
  }
  return new Ranges(joined, count);
}

/** Puts ranges in order and joins those that touch, all at once: one by one, each would move all behind it. */
function join(ranges: readonly number[]): Float64Array {
  const order = Array.from({ length: ranges.length / 2 }, (_, i) => 2 * i);
  order.sort((a, b) => ranges[a]! - ranges[b]!);
  const apart = new Float64Array(ranges.length);
  let length = 0;
  for (const at of order) {
    const minTime = ranges[at]!;
    const maxTime = ranges[at + 1]!;
    if (length > 0 && apart[length - 1]! >= minTime - 1) {
      apart[length - 1] = Math.max(apart[length - 1]!, maxTime);
    } else {
      apart[length] = minTime;
      apart[length + 1] = maxTime;
      length += 2;
    }
  }
  return apart.slice(0, length);
}

/** Replaces a block's tombstones, and resolves once that is durable: after a crash they are the old ones or these. */
export async function writeTombstones(
  disk: Disk,
  dir: string,
  tombstones: Tombstones,
): Promise<void> {
  const room = TOMBSTONES_HEADER_BYTES + tombstones.count * RECORD_BYTES_MAX + CRC_BYTES;
  const bytes = new Uint8Array(room);
  writeU32(bytes, 0, TOMBSTONES_MAGIC);
  bytes[4] = TOMBSTONES_VERSION;
  let at = TOMBSTONES_HEADER_BYTES;
  for (const id of tombstones.ids()) {
    const ranges = tombstones.of(id)!;
    for (let i = 0; i < ranges.length; i += 2) {
      at = writeUvarint(bytes, at, id);
      at = writeVarint(bytes, at, ranges[i]!);
      at = writeVarint(bytes, at, ranges[i + 1]!);
    }
  }
  writeU32(bytes, at, crc32c(bytes, TOMBSTONES_HEADER_BYTES, at));
  await replaceFile(disk, dir, TOMBSTONES_FILE, bytes.subarray(0, at + CRC_BYTES));
}

class Ranges implements Tombstones {
  count: number;
  readonly #ranges: Map<number, Float64Array>;

  constructor(ranges: Map<number, Float64Array>, count: number) {
    this.#ranges = ranges;
    this.count = count;
  }

  ids(): Uint32Array {
    return Uint32Array.from(this.#ranges.keys()).sort();
  }

  of(id: number): Float64Array | undefined {
    return this.#ranges.get(id);
  }

  add(id: number, minTime: number, maxTime: number): void {
    const old = this.#ranges.get(id) ?? new Float64Array(0);
    let from = 0;
    while (from < old.length && old[from + 1]! < minTime - 1) from += 2;
    let until = from;
    while (until < old.length && old[until]! <= maxTime + 1) until += 2;
    const joined = new Float64Array(old.length - (until - from) + 2);
    joined.set(old.subarray(0, from));
    joined[from] = until > from ? Math.min(minTime, old[from]!) : minTime;
    joined[from + 1] = until > from ? Math.max(maxTime, old[until - 1]!) : maxTime;
    joined.set(old.subarray(until), from + 2);
    this.#ranges.set(id, joined);
    this.count += (joined.length - old.length) / 2;
  }

  copy(): Tombstones {
    return new Ranges(new Map(this.#ranges), this.count); // Arrays are replaced, never changed.
  }
}
