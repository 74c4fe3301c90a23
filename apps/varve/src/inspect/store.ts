import { isStorageError } from "@varve/contracts";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { oneLine } from "../exit.ts";
import { bytes, counted, time, whole } from "../print/format.ts";
import { facts, table } from "../print/table.ts";
import { blockDirsOf, openBlockAt } from "../store/block.ts";
import { formatOf } from "../store/place.ts";
import { summaryOf, type BlockSummary } from "./block.ts";
import type { Inspected } from "./inspected.ts";
import { readLog } from "./log.ts";

/** A block that cannot be opened. */
interface DamagedBlock {
  readonly id: string;
  readonly problem: string;
}

interface Files {
  readonly files: number;
  readonly bytes: number;
}

/** Says what a data directory holds, without opening it: a live writer may have it. */
export async function inspectStore(dir: string, signal: AbortSignal): Promise<Inspected> {
  const { version, storeId } = formatOf(dir);
  const log = await readLog(join(dir, "wal"), signal);
  const blocks: (BlockSummary | DamagedBlock)[] = [];
  for (const each of blockDirsOf(dir)) blocks.push(await blockOf(each));
  const { batches, records, lastLsn, durableLsn, isClosed, opens } = log;
  const value = {
    kind: "store",
    dir,
    version,
    storeId,
    holder: holderOf(dir),
    log: {
      segments: log.segments.length,
      batches,
      records,
      lastLsn,
      durableLsn,
      isClosed,
      opens,
      bytes: log.bytes,
    },
    sealed: filesOf(join(dir, "sealed")),
    quarantine: filesOf(join(dir, "quarantine")),
    blocks,
  };
  return { value, text: () => textOf(value) };
}

async function blockOf(dir: string): Promise<BlockSummary | DamagedBlock> {
  try {
    const block = await openBlockAt(dir);
    try {
      return summaryOf(block);
    } finally {
      block.close();
    }
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return { id: basename(dir), problem: error.message };
  }
}

/** Who says that he has the store open: a file that a crash leaves behind, so only a hint. */
function holderOf(dir: string): string | null {
  try {
    const { pid, host, since } = JSON.parse(readFileSync(join(dir, "LOCK.info"), "utf8")) as Record<
      string,
      unknown
    >;
    return `process ${String(pid)} on ${String(host)}, since ${String(since)}`;
  } catch {
    return null;
  }
}

function filesOf(dir: string): Files {
  let [files, size] = [0, 0];
  try {
    for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      files += 1;
      size += statSync(join(entry.parentPath, entry.name)).size;
    }
  } catch {
    // A directory that is not there, or a file that went meanwhile: what was counted counts.
  }
  return { files, bytes: size };
}

interface StoreValue {
  readonly dir: string;
  readonly version: number;
  readonly storeId: string;
  readonly holder: string | null;
  readonly log: {
    readonly batches: number;
    readonly bytes: number;
    readonly isClosed: boolean;
    readonly opens: boolean;
  };
  readonly sealed: Files;
  readonly quarantine: Files;
  readonly blocks: readonly (BlockSummary | DamagedBlock)[];
}

function textOf({
  dir,
  version,
  storeId,
  holder,
  log,
  sealed,
  quarantine,
  blocks,
}: StoreValue): string {
  const logState = log.opens ? (log.isClosed ? "closed" : "not closed") : "damaged";
  const about = facts([
    ["store", dir],
    ["format", `version ${version}, store ${storeId}`],
    ["open", holder ?? "by nobody"],
    ["log", `${counted(log.batches, "batch", "batches")}, ${bytes(log.bytes)}, ${logState}`],
    ["sealed", filesText(sealed)],
    ["quarantine", filesText(quarantine)],
    ["blocks", whole(blocks.length)],
  ]);
  return blocks.length === 0 ? about : `${about}\n\n${blockTable(blocks)}`;
}

function filesText({ files, bytes: size }: Files): string {
  return files === 0 ? "-" : `${counted(files, "file")}, ${bytes(size)}`;
}

function blockTable(blocks: readonly (BlockSummary | DamagedBlock)[]): string {
  const columns = ["level", "series", "samples", "size"].map(
    (head) => ({ head, align: "right" }) as const,
  );
  const rows = blocks.map((block) =>
    "problem" in block
      ? [block.id, oneLine(block.problem)]
      : [
          block.id,
          time(block.minTime),
          time(block.maxTime),
          String(block.level),
          whole(block.series),
          whole(block.samples),
          bytes(block.bytes),
        ],
  );
  return table([{ head: "block" }, { head: "from" }, { head: "until" }, ...columns], rows);
}
