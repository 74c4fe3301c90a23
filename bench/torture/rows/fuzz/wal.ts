import { crc32c, type Random, reserveMemory, writeU32 } from "@varve/bytes";
import {
  isStorageError,
  type RecordCodec,
  type RecoveryMode,
  type StorageErrorCode,
  type WalRecovery,
  type WriteAheadLog,
} from "@varve/contracts";
import { inlineRecord } from "@varve/record/inline";
import { refRecord } from "@varve/record/ref";
import { syncWal } from "@varve/wal/sync";
import { Broken } from "../../row.ts";
import { mutate } from "./bytes.ts";
import { FuzzDisk } from "./disk.ts";
import { drawRows, encodeRows } from "./drawn-rows.ts";
import { COMMIT, frame, framedBytes, mendFragments, readSegment, STORE_ID } from "./segment.ts";
import { fuzzRow, type FuzzTarget, type Sound } from "./fuzz-row.ts";

interface SoundLog extends Sound {
  readonly batches: readonly (readonly Uint8Array[])[];
  /** All records in the file. */
  readonly records: readonly Uint8Array[];
}

/** What a recovery told and said. */
interface Recovered {
  readonly told: readonly Told[];
  readonly recovery: WalRecovery | null;
  readonly error: Error | null;
}

/** A batch as it was told: its number, and a checksum over its records' lengths and bytes. */
interface Told {
  readonly lsn: number;
  count: number;
  sum: number;
}

const DIR = "/store/wal";
const FIRST = `${DIR}/00000000`;
const MODES: readonly RecoveryMode[] = ["strict", "tail", "pointInTime", "salvage"];
const REFUSALS: readonly StorageErrorCode[] = ["WAL_CORRUPT", "UNSUPPORTED_VERSION"];
const BATCHES_MAX = 6;

/** The log: a segment file through the recovery, whose records go through a codec. */
export const WAL_ROW = fuzzRow(
  "wal",
  "segments of the log through recovery, in all modes",
  openTarget,
);

async function openTarget(): Promise<FuzzTarget<SoundLog, Recovered>> {
  const disk = new FuzzDisk();
  const variant = syncWal();
  const memory = reserveMemory({ bytesMax: 2 ** 16 });
  const codecs = [await refRecord().open({}), await inlineRecord().open({})];
  const open = (mode: RecoveryMode): WriteAheadLog => {
    const needs = { memory, disk, dir: DIR, quarantineDir: "/store/quarantine" };
    return variant.open({ ...needs, storeId: STORE_ID, recovery: mode }) as WriteAheadLog;
  };
  return {
    codes: [],
    keepsLength: 0.6,
    async make(random) {
      disk.clear();
      const batches = await writeLog(open("strict"), random.pick(codecs), random);
      const bytes = trimmed(disk.take(FIRST), random);
      return { bytes, batches, records: readSegment(bytes).records };
    },
    change: changeRecords,
    mend: mendFragments,
    prepare(bytes) {
      disk.clear();
      disk.put(FIRST, bytes);
    },
    decode: (bytes) => recover(open(modeOf(bytes)), codecs[bytes.length & 1]!),
    judge(found, { bytes, origin, isIntact }) {
      const mode = modeOf(bytes);
      const reading = readSegment(bytes);
      if (!("told" in found)) throw new Broken("wrong", "no refusal gets here");
      if (isIntact) compare(found.told, origin.batches, "what was appended");
      judge(
        found,
        reading.batches.map(({ records }) => records),
        reading.isFaulty,
        mode,
      );
      if (found.error === null && crc32c(bytes, 0, Math.min(64, bytes.length)) % 4 === 0) {
        const again = recover(open(mode === "salvage" ? mode : "tail"), codecs[0]!);
        const isSame = JSON.stringify(again.told) === JSON.stringify(found.told);
        if (again.error !== null || !isSame) {
          throw new Broken("wrong", `after ${mode} it opens otherwise: ${again.error?.message}`);
        }
      }
    },
  };
}

/** Writes batches as a store does, and closes the log or not. */
async function writeLog(
  wal: WriteAheadLog,
  codec: RecordCodec,
  random: Random,
): Promise<(readonly Uint8Array[])[]> {
  const batches: (readonly Uint8Array[])[] = [];
  wal.replay(() => undefined);
  for (let left = random.below(BATCHES_MAX + 1); left > 0; left -= 1) {
    const records = encodeRows(codec, drawRows(random));
    if (random.chance(0.05)) records.push(new Uint8Array(33_000).fill(2)); // Longer than a page.
    for (const record of records) {
      wal.buffer.reserve(record.length);
      wal.buffer.bytes.set(record, wal.buffer.length);
      wal.buffer.length += record.length;
      wal.buffer.endRecord();
    }
    wal.append();
    batches.push(records);
  }
  if (random.chance(0.5)) await wal[Symbol.asyncDispose]();
  return batches;
}

/** Mostly without the zeros behind the last record, which a crash may leave out as well: they take time. */
function trimmed(bytes: Uint8Array, random: Random): Uint8Array {
  return random.chance(0.9) ? bytes.slice(0, framedBytes(bytes)) : bytes;
}

/** Drops, repeats, swaps or changes records, and frames them anew: all checksums and mostly the chain are right. */
function changeRecords({ records }: SoundLog, other: SoundLog, random: Random): Uint8Array {
  const changed = [...records];
  if (random.chance(0.05)) return breakRecord(changed, random);
  do {
    const at = random.below(changed.length);
    const kind = random.below(6);
    if (kind === 0) changed.splice(at, 1);
    else if (kind === 1) changed.splice(at, 0, random.pick(changed));
    else if (kind === 2) changed.splice(at, 0, random.pick(other.records));
    else changed[at] = mutate(random, changed[at]!, random.pick(other.records), 0.7);
  } while (changed.length > 0 && random.chance(0.3));
  const isChopped = random.chance(0.3);
  return frame(changed, {
    keepsChain: random.chance(0.15),
    sizeOf: (most) => (isChopped ? 1 + random.below(most) : most),
    overrun: random.chance(0.15) ? random.below(8) : 0,
  });
}

/** Leaves out the end of a record, in a batch that counts those behind it alone. */
function breakRecord(records: Uint8Array[], random: Random): Uint8Array {
  const broken = random.below(records.length);
  const commit = records.findIndex((record, i) => i > broken && record[0] === COMMIT);
  if (commit > 0) {
    const record = records[commit]!.slice();
    writeU32(record, 2, commit - broken - 1);
    records[commit] = record;
  }
  return frame(records, { broken });
}

/** The mode follows from the bytes, so that an input says all. */
function modeOf(bytes: Uint8Array): RecoveryMode {
  return MODES[crc32c(bytes, 0, Math.min(512, bytes.length)) & 3]!;
}

function recover(wal: WriteAheadLog, codec: RecordCodec): Recovered {
  const told: Told[] = [];
  try {
    const recovery = wal.replay((bytes, from, until, lsn) => {
      let last = told.at(-1);
      if (last?.lsn !== lsn) told.push((last = { lsn, count: 0, sum: 0 }));
      last.count += 1;
      last.sum = crc32c(bytes, from, until, last.sum + until - from);
      decodeRecord(codec, bytes, from, until);
    });
    return { told, recovery, error: null };
  } catch (error) {
    if (!isStorageError(error) || !REFUSALS.includes(error.code)) throw error;
    return { told, recovery: null, error };
  }
}

function decodeRecord(codec: RecordCodec, bytes: Uint8Array, from: number, until: number): void {
  try {
    codec.decode(bytes, from, until, NOBODY);
  } catch (error) {
    if (!isStorageError(error, "WAL_CORRUPT")) throw error;
  }
}

const NOBODY = { series: () => undefined, samples: () => undefined };

/** What was told has to be what a dull reader finds before the first fault; only salvage goes on behind it. */
function judge(
  { told, recovery, error }: Recovered,
  before: readonly (readonly Uint8Array[])[],
  isFaulty: boolean,
  mode: RecoveryMode,
): void {
  compare(
    mode === "salvage" ? told.slice(0, before.filter((r) => r.length > 0).length) : told,
    before,
    `a reading, in mode ${mode},`,
    recovery?.cutReason ?? error?.message,
  );
  for (const [i, { lsn }] of told.entries()) {
    const isNext = Number.isSafeInteger(lsn) && lsn > (told[i - 1]?.lsn ?? 0);
    if (!isNext) throw new Broken("wrong", `batch ${lsn} is told behind ${told[i - 1]?.lsn}`);
  }
  if (!isFaulty && error !== null)
    throw new Broken("lost", `a sound log is refused: ${error.message}`);
  if (isFaulty && mode === "strict" && error === null)
    throw new Broken("wrong", "damage is passed over in mode strict");
  if (recovery === null) return;
  const { lastLsn, records } = recovery;
  const sum = told.reduce((all, { count }) => all + count, 0);
  if (records !== sum)
    throw new Broken("wrong", `${records} records are reported, ${sum} were told`);
  if (!Number.isSafeInteger(lastLsn) || lastLsn < before.length)
    throw new Broken("wrong", `the log goes on behind batch ${lastLsn}`);
  if (mode !== "salvage" && lastLsn !== before.length)
    throw new Broken("wrong", `the log ends with batch ${lastLsn}, and has ${before.length}`);
}

function compare(
  told: readonly Told[],
  batches: readonly (readonly Uint8Array[])[],
  what: string,
  why = "",
): void {
  const expected: Told[] = [];
  for (const [i, records] of batches.entries()) {
    let sum = 0;
    for (const record of records) sum = crc32c(record, 0, record.length, sum + record.length);
    if (records.length > 0) expected.push({ lsn: i + 1, count: records.length, sum });
  }
  if (JSON.stringify(told) === JSON.stringify(expected)) return;
  const say = (batches: readonly Told[]): string =>
    batches.map(({ lsn, count }) => `${lsn}x${count}`).join(" ");
  throw new Broken("wrong", `told ${say(told)}; ${what} has ${say(expected)}: ${why}`);
}
