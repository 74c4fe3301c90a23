import { makeRandom, reserveMemory } from "@varve/bytes";
import type {
  Disk,
  Lsn,
  Memory,
  RecordBuffer,
  RecoveryMode,
  Variant,
  WalNeeds,
  WalRecovery,
  WriteAheadLog,
} from "@varve/contracts";

export const STORE_ID = "00112233445566778899aabbccddeeff";

let shared: Memory | null = null;

/** One memory for all tests of a file: rings are taken from it and given back. */
export function memory(): Memory {
  shared ??= reserveMemory({ bytesMax: 64 * 1024 * 1024 });
  return shared;
}

export function needsOf(disk: Disk, options: Partial<WalNeeds> = {}): WalNeeds {
  return {
    memory: memory(),
    disk,
    dir: "/wal",
    quarantineDir: "/quarantine",
    storeId: STORE_ID,
    recovery: "tail",
    ...options,
  };
}

export async function openWal(
  variant: Variant<"wal">,
  disk: Disk,
  options: Partial<WalNeeds> = {},
): Promise<WriteAheadLog> {
  return variant.open(needsOf(disk, options));
}

/** Records are a function of their batch's number, so that what is read back can be checked without memory. */
export function recordsOf(lsn: Lsn, bytesMax = 400): Uint8Array[] {
  const random = makeRandom(lsn * 7919 + 13);
  const count = 1 + random.below(4);
  return Array.from({ length: count }, (_, i) => {
    const bytes = new Uint8Array(random.below(bytesMax));
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = random.below(256);
    if (bytes.length > 0) bytes[0] = 1 + (i % 6);
    return bytes;
  });
}

export function put(buffer: RecordBuffer, record: Uint8Array): void {
  buffer.reserve(record.length);
  buffer.bytes.set(record, buffer.length);
  buffer.length += record.length;
  buffer.endRecord();
}

/** Appends the batch that belongs to the next number. */
export function appendNext(wal: WriteAheadLog, bytesMax = 400): Lsn {
  for (const record of recordsOf(wal.accepted + 1, bytesMax)) put(wal.buffer, record);
  return wal.append();
}

export interface Replayed {
  readonly recovery: WalRecovery;
  /** Records by batch, in the order in which they were told. */
  readonly batches: Map<Lsn, Uint8Array[]>;
}

export function replay(wal: WriteAheadLog): Replayed {
  const batches = new Map<Lsn, Uint8Array[]>();
  const recovery = wal.replay((bytes, from, until, lsn) => {
    const records = batches.get(lsn) ?? [];
    records.push(bytes.slice(from, until));
    batches.set(lsn, records);
  });
  return { recovery, batches };
}

/** Throws unless the batches are exactly first … last, each whole and with the records that belong to it. */
export function checkBatches(replayed: Replayed, first: Lsn, last: Lsn, bytesMax = 400): void {
  const lsns = [...replayed.batches.keys()];
  const wanted = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  if (lsns.join() !== wanted.join())
    throw new Error(`batches ${lsns.join()} instead of ${first}…${last}`);
  for (const lsn of wanted) {
    const expected = recordsOf(lsn, bytesMax);
    const found = replayed.batches.get(lsn)!;
    const isSame =
      found.length === expected.length &&
      found.every((record, i) => Buffer.compare(record, expected[i]!) === 0);
    if (!isSame) throw new Error(`batch ${lsn} is not what was written`);
  }
}

/** Reads a log as it is found on a disk: what it holds, and what was said about it. */
export async function readBack(
  variant: Variant<"wal">,
  disk: Disk,
  recovery: RecoveryMode = "tail",
): Promise<Replayed> {
  await using wal = await openWal(variant, disk, { recovery });
  return replay(wal);
}
