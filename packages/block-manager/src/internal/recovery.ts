import { dirname } from "node:path";
import type { Disk } from "@varve/contracts";
import { readAll } from "@varve/disk/transfer";
import { fileName, fileNumber } from "./format.ts";
import { copyRange } from "./quarantine.ts";
import { chainFiles, type Damage } from "./sealed-chain.ts";
import type { SealedState } from "./sealed-files.ts";
import { type FoundChunk, type FoundFile, type ScanOptions, scanFile } from "./sealed-scan.ts";

/** What `sealed/` held at open. */
export interface Recovery {
  /** Chunks that count, in the order in which they were written. */
  readonly chunks: CountedChunk[];
  /** Files that count, in part at least. */
  readonly files: readonly CountedFile[];
  readonly state: SealedState;
  /** Files whose marks state up to where records count. */
  readonly witnesses: number;
  /** Highest ref of all chunks, void ones too. */
  readonly refMax: number;
  /** Files of which nothing counts. */
  readonly voids: readonly FoundFile[];
  /** Damaged stretches in what counts. Their bytes were copied aside; their chunks are lost. */
  readonly damaged: number;
  /** The copies, below the quarantine directory. */
  readonly quarantined: readonly string[];
}

/** A file that counts. */
export interface CountedFile {
  readonly number: number;
  /** The place after which it was begun. */
  readonly after: number;
  /** It holds chunks that do not count. */
  readonly holdsVoid: boolean;
}

/** A chunk that counts, and the file that it lies in. */
export interface CountedChunk {
  readonly file: number;
  readonly chunk: FoundChunk;
}

export interface RecoveryOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly quarantineDir: string;
  readonly encoding: number;
  readonly storedCount: ScanOptions["storedCount"];
}

/** Reads `sealed/`, making it when there is none, and decides what counts. Files found there are left as they are. */
export function recoverSealed(options: RecoveryOptions): Recovery {
  const { disk, dir, encoding, storedCount } = options;
  makeSealed(disk, dir);
  const found: FoundFile[] = [];
  for (const name of disk.list(dir)) {
    const number = fileNumber(name);
    const path = `${dir}/${name}`;
    if (number === 0) continue; // Whatever else has a number must be a file, or what it held would be missed.
    found.push(scanFile(readAll(disk, path), { number, path, encoding, storedCount }));
  }
  found.sort((a, b) => a.number - b.number);
  const chain = chainFiles(found);
  const chunks: CountedChunk[] = [];
  for (const { file, end } of chain.files) {
    for (const chunk of file.chunks) {
      if (chunk.offset >= end) break;
      chunks.push({ file: file.number, chunk });
    }
  }
  return {
    chunks,
    files: chain.files.map(({ file: { number, after, chunks: found }, end }) => ({
      number,
      after,
      holdsVoid: found.length > 0 && found.at(-1)!.offset >= end,
    })),
    witnesses: chain.witnesses,
    state: { nextNumber: (found.at(-1)?.number ?? 0) + 1, trusted: chain.trusted },
    refMax: found.reduce((most, file) => Math.max(most, file.refMax), 0),
    voids: chain.voids,
    damaged: chain.damage.length,
    quarantined: copyDamage(options, chain.damage),
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

/** Copies damage aside, once. */
export function copyDamage(
  { disk, dir, quarantineDir }: Pick<RecoveryOptions, "disk" | "dir" | "quarantineDir">,
  damage: readonly Damage[],
): string[] {
  const quarantined: string[] = [];
  for (const { number, gap } of damage) {
    const path = `${dir}/${fileName(number)}`;
    const copy = `${quarantineDir}/sealed-${fileName(number)}.${gap.from}`;
    disk.makeDirectory(quarantineDir);
    if (disk.kind(copy) !== "none") continue; // Seen at an earlier opening.
    if (copyRange(disk, path, gap.from, gap.until, copy)) quarantined.push(copy);
  }
  if (quarantined.length > 0) disk.syncDirectory(quarantineDir);
  return quarantined;
}
