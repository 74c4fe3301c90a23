import { dirname } from "node:path";
import { type Disk, StorageError } from "@varve/contracts";
import { readAll, readFully, writeAll, writeFileDurably } from "@varve/disk/transfer";
import { DOUBT, fileName, fileNumber, placeOf } from "./format.ts";
import { chainFiles } from "./sealed-chain.ts";
import { type FoundChunk, type FoundFile, type ScanOptions, scanFile } from "./sealed-scan.ts";
import type { SealedFile, SealedState } from "./sealed-files.ts";

/** What `sealed/` held at open. */
export interface Recovery {
  /** Chunks that count, in the order in which they were written; a flag says whether each was durable. */
  readonly chunks: {
    readonly file: number;
    readonly chunk: FoundChunk;
    readonly isDurable: boolean;
  }[];
  readonly state: SealedState;
  /** Damaged stretches in what was durable. They were copied aside; their chunks are lost. */
  readonly damaged: number;
  /** Copies of what was cut or passed over, below the quarantine directory. */
  readonly quarantined: readonly string[];
}

export interface RecoveryOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly quarantineDir: string;
  readonly encoding: number;
  readonly storedCount: ScanOptions["storedCount"];
}

/** Reads `sealed/`, making it when there is none, cuts a torn tail, and puts aside what does not count. */
export function recoverSealed(options: RecoveryOptions): Recovery {
  const { disk, dir, encoding, storedCount } = options;
  makeSealed(disk, dir);
  const found: FoundFile[] = [];
  for (const name of disk.list(dir)) {
    const number = fileNumber(name);
    const path = `${dir}/${name}`;
    if (number === 0 || disk.kind(path) !== "file") continue;
    found.push(scanFile(readAll(disk, path), { number, path, encoding, storedCount }));
  }
  found.sort((a, b) => a.number - b.number);
  const chain = chainFiles(found);
  const quarantined = putAside(options, chain);
  const chunks: Recovery["chunks"] = [];
  const dirty: SealedFile[] = [];
  for (const { file, end } of chain.files) {
    for (const chunk of file.chunks) {
      if (chunk.offset >= end) break;
      const isDurable = placeOf(file.number, chunk.offset) < chain.durable;
      chunks.push({ file: file.number, chunk, isDurable });
    }
    if (placeOf(file.number, end) > chain.durable)
      dirty.push(dirtyFile(dir, file, end, chain.durable));
  }
  if (disk.kind(`${dir}/${DOUBT}`) !== "none") renew(options, dirty);
  const nextNumber = (found.at(-1)?.number ?? 0) + 1;
  const { end, durable } = chain;
  return {
    chunks,
    state: { nextNumber, end, durable, dirty },
    damaged: chain.damage.length,
    quarantined,
  };
}

/** Makes the directory, unless it is there, and its name durable before the first file goes into it. */
function makeSealed(disk: Disk, dir: string): void {
  if (disk.list(dir).length > 0) return;
  disk.makeDirectory(dir);
  try {
    disk.syncDirectory(dirname(dir));
  } catch (error) {
    disk.removeDirectory(dir); // So that the next opening makes it anew: a second sync would prove nothing.
    throw error;
  }
}

/**
 * A sync has failed in an earlier life: the kernel may show bytes that the disk lacks, and call a second sync of
 * them good. Copies of them have fresh pages, which a sync does write.
 */
function renew(options: RecoveryOptions, dirty: readonly SealedFile[]): void {
  const { disk, dir } = options;
  for (const { path } of dirty) writeFileDurably(disk, path, readAll(disk, path));
  disk.unlink(`${dir}/${DOUBT}`);
}

/** A file of which we cannot know whether the disk holds all: it is synced again. */
function dirtyFile(dir: string, file: FoundFile, end: number, durable: number): SealedFile {
  return {
    number: file.number,
    path: `${dir}/${fileName(file.number)}`,
    fd: -1,
    holds: 0,
    chunks: file.chunks.length,
    length: end,
    synced: Math.max(0, durable - placeOf(file.number, 0)),
    isNamed: false,
  };
}

/** Copies damage and a torn tail aside, cuts the tail, and moves whole files that do not count. */
function putAside(options: RecoveryOptions, chain: ReturnType<typeof chainFiles>): string[] {
  const { disk, dir, quarantineDir } = options;
  const quarantined: string[] = [];
  const last = chain.files.at(-1);
  const isTorn = last !== undefined && last.end < last.file.size;
  if (chain.damage.length === 0 && chain.strays.length === 0 && !isTorn) return quarantined;
  disk.makeDirectory(quarantineDir);
  for (const { number, gap } of chain.damage) {
    const copy = `${quarantineDir}/sealed-${fileName(number)}.${gap.from}`;
    if (disk.kind(copy) !== "none") continue; // Seen at an earlier opening.
    copyRange(disk, `${dir}/${fileName(number)}`, gap.from, gap.until, copy);
    quarantined.push(copy);
  }
  if (isTorn) {
    const { number, size } = last.file;
    const path = `${dir}/${fileName(number)}`;
    const copy = freeName(disk, `${quarantineDir}/sealed-${fileName(number)}.${last.end}`);
    copyRange(disk, path, last.end, size, copy);
    quarantined.push(copy);
    const fd = disk.open(path, "update");
    try {
      disk.truncate(fd, last.end);
    } finally {
      disk.close(fd);
    }
  }
  for (const { number } of chain.strays) {
    const copy = freeName(disk, `${quarantineDir}/sealed-${fileName(number)}`);
    disk.rename(`${dir}/${fileName(number)}`, copy);
    quarantined.push(copy);
  }
  disk.syncDirectory(quarantineDir);
  if (chain.strays.length > 0) disk.syncDirectory(dir);
  return quarantined;
}

function copyRange(disk: Disk, path: string, from: number, until: number, copy: string): void {
  const bytes = new Uint8Array(until - from);
  const source = disk.open(path, "read");
  let count = 0;
  try {
    count = readFully(disk, source, bytes, 0, bytes.length, from);
  } finally {
    disk.close(source);
  }
  const target = disk.open(copy, "create");
  try {
    writeAll(disk, target, bytes, 0, count, 0);
    disk.datasync(target);
  } finally {
    disk.close(target);
  }
}

function freeName(disk: Disk, wanted: string): string {
  for (let i = 0; i < 10_000; i += 1) {
    const name = i === 0 ? wanted : `${wanted}-${i}`;
    if (disk.kind(name) === "none") return name;
  }
  throw new StorageError(
    "DISK",
    `${wanted} is taken, and so are its next names; empty quarantine/`,
    {
      facts: { path: wanted },
    },
  );
}
