import { crc32c, type Random, readU32, writeU32 } from "@varve/bytes";
import {
  makeTombstones,
  readTombstones,
  type Tombstones,
  writeTombstones,
} from "@varve/prometheus-block";
import { Broken } from "../../row.ts";
import { mutate, replaced, uvarintOf } from "./bytes.ts";
import { FuzzDisk } from "./disk.ts";
import { fuzzRow, type FuzzTarget, Refusal, type Sound } from "./fuzz-row.ts";

/** Ranges by series, each as `id: first-last …`. */
interface SoundRanges extends Sound {
  readonly text: string;
}

const DIR = "/block";
const FILE = `${DIR}/tombstones`;
const HEADER_BYTES = 5;
const MAGIC = 0x0130ba30;
const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const RANGES_MAX = 20;

/** Deletions of a block. */
export const TOMBSTONES_ROW = fuzzRow("tombstones", "tombstones of a block", openTarget);

function openTarget(): FuzzTarget<SoundRanges, Tombstones> {
  const disk = new FuzzDisk();
  return {
    codes: ["BLOCK_CORRUPT", "UNSUPPORTED_VERSION"],
    memoryMax: 4 * 2 ** 20,
    async make(random) {
      const tombstones = drawRanges(random);
      await writeTombstones(disk, DIR, tombstones);
      return { bytes: disk.take(FILE), text: textOf(tombstones) };
    },
    change: changeRanges,
    mend: (bytes) => {
      const end = bytes.length - 4;
      if (end >= HEADER_BYTES) writeU32(bytes, end, crc32c(bytes, HEADER_BYTES, end));
      return bytes;
    },
    prepare: (bytes) => disk.put(FILE, bytes),
    decode: () => readTombstones(disk, DIR),
    async judge(found, { bytes, origin, isIntact }) {
      const expected = readRanges(bytes);
      const text = found instanceof Refusal ? null : textOf(found);
      if (text !== expected)
        throw new Broken("wrong", `${text}, and a dull reading has ${expected}`);
      if (isIntact && text !== origin.text) throw new Broken("wrong", `${text} of ${origin.text}`);
      if (found instanceof Refusal) return;
      await writeTombstones(disk, DIR, found);
      const again = textOf(readTombstones(disk, DIR));
      if (again !== text) throw new Broken("wrong", `${again} when it is written anew, of ${text}`);
    },
  };
}

function drawRanges(random: Random): Tombstones {
  const tombstones = makeTombstones();
  for (let left = random.below(RANGES_MAX); left > 0; left -= 1) {
    const id = random.chance(0.7) ? random.below(4) : random.below(2 ** 32);
    const from = random.chance(0.8) ? random.below(1000) : random.below(2 ** 53) - 2 ** 52;
    tombstones.add(id, from, from + random.below(random.pick([1, 5, 200])));
  }
  return tombstones;
}

function textOf(tombstones: Tombstones): string {
  const series = Array.from(tombstones.ids(), (id) => `${id}: ${tombstones.of(id)!.join()}`);
  return `${tombstones.count} ${series.join("; ")}`;
}

/** Adds ranges, or many of one series that lie apart: small files whose reading may take long. */
function changeRanges(sound: SoundRanges, other: SoundRanges, random: Random): Uint8Array {
  const body = sound.bytes.subarray(HEADER_BYTES, sound.bytes.length - 4);
  if (!random.chance(0.02)) {
    const changed = mutate(random, body, other.bytes.subarray(HEADER_BYTES), 0.5);
    return replaced(sound.bytes, HEADER_BYTES, sound.bytes.length - 4, changed);
  }
  const ranges: number[] = [];
  const isDescending = random.chance(0.5);
  const count = random.below(8000);
  for (let i = 0; i < count; i += 1) {
    const time = 2 * (isDescending ? count - i : i) + 2;
    for (const field of [7, time * 2, time * 2]) ranges.push(...uvarintOf(BigInt(field)));
  }
  return replaced(sound.bytes, HEADER_BYTES, sound.bytes.length - 4, Uint8Array.from(ranges));
}

/** What a file says, by its documents and slowly: null when it has to be refused. */
function readRanges(bytes: Uint8Array): string | null {
  const end = bytes.length - 4;
  if (end < HEADER_BYTES || readU32(bytes, 0) !== MAGIC || bytes[4] !== 1) return null;
  if (crc32c(bytes, HEADER_BYTES, end) !== readU32(bytes, end)) return null;
  const ranges = new Map<bigint, [bigint, bigint][]>();
  let at = HEADER_BYTES;
  const uvarint = (): bigint => {
    let value = 0n;
    for (let i = 0n; i < 10n && at < end; i += 1n) {
      const byte = BigInt(bytes[at++]!);
      value |= (byte & 127n) << (7n * i);
      if (byte < 128n) return value;
    }
    return -1n;
  };
  while (at < end) {
    const [id, first, last] = [uvarint(), uvarint(), uvarint()];
    if (id < 0n || first < 0n || last < 0n || id >= 2n ** 32n) return null;
    const [from, until] = [signed(first), signed(last)];
    if (from > until || [from, until].some((time) => time > SAFE_MAX || time < -SAFE_MAX))
      return null;
    const all = ranges.get(id) ?? [];
    all.push([from, until]);
    ranges.set(id, all);
  }
  const ids = [...ranges.keys()].sort((a, b) => (a < b ? -1 : 1));
  const joined = ids.map((id) => [id, join(ranges.get(id)!)] as const);
  const count = joined.reduce((sum, [, all]) => sum + all.length, 0);
  return `${count} ${joined.map(([id, all]) => `${id}: ${all.join()}`).join("; ")}`;
}

function signed(code: bigint): bigint {
  return code % 2n === 0n ? code / 2n : -(code + 1n) / 2n;
}

/** Sorted, and joined where they touch. */
function join(ranges: readonly [bigint, bigint][]): [bigint, bigint][] {
  const joined: [bigint, bigint][] = [];
  for (const [from, until] of ranges.toSorted((a, b) => (a[0] < b[0] ? -1 : 1))) {
    const last = joined.at(-1);
    if (last === undefined || from > last[1] + 1n) joined.push([from, until]);
    else if (until > last[1]) last[1] = until;
  }
  return joined;
}
