import { reserveMemory, makeRecordBuffer, type Random } from "@varve/bytes";
import {
  type Disk,
  isStorageError,
  type Lsn,
  type Variant,
  type WriteAheadLog,
} from "@varve/contracts";
import { simDisk, type SimDisk, type Survival } from "@varve/disk/sim";
import { asyncWal } from "@varve/wal/async";
import { batchedWal } from "@varve/wal/batched";
import { syncWal } from "@varve/wal/sync";
import { Broken, type Row, type TrialContext } from "../../row.ts";
import { modelOf } from "./disk-model.ts";
import { simProcess } from "./sim-process.ts";
import { cutLog, fillBatch, replayChecked, STORE_ID } from "../content/wal-content.ts";

const SURVIVALS: readonly Survival[] = ["nothing", "everything", "prefix", "subset", "subset"];
const LIVES_PER_TRIAL = 8;
const PAGE_BYTES = 32 * 1024;
/** No timer of a log ever goes off: a seed would not bring back when. */
const NEVER_MS = 2 ** 30;
const BATCHES_AFTER_FAILURE = 3;
/** How likely a life meets a fault of the disk. */
const FAULTY = 0.15;

const memory = reserveMemory({ bytesMax: 64 * 2 ** 20 });
const scratch = makeRecordBuffer();

type MakeLog = (random: Random) => Variant<"wal">;

/** Small segments and groups, so that a few batches meet rolls and full groups. */
export const SIM_LOGS: Readonly<Record<string, MakeLog>> = {
  sync: (random) => syncWal({ segmentBytesMax: PAGE_BYTES * (1 + random.below(2)) }),
  batched: (random) =>
    batchedWal({
      segmentBytesMax: PAGE_BYTES * (1 + random.below(2)),
      groupBytesMax: 200 + random.below(8000),
      delayMsMax: NEVER_MS,
    }),
  async: (random) =>
    asyncWal({
      segmentBytesMax: PAGE_BYTES * (1 + random.below(2)),
      groupBytesMax: 200 + random.below(8000),
      ringBytesMax: PAGE_BYTES,
      delayMsMax: NEVER_MS,
      writer: "inline",
    }),
};

/** Crash upon crash of a log on a simulated disk, one row for each variant. */
export const SIM_WAL_ROWS: readonly Row[] = Object.entries(SIM_LOGS).map(([name, make]) => ({
  id: `sim-wal-${name}`,
  title: `${name} log: crash after crash on a simulated disk, inside recovery, too; un-synced writes and names lost, torn, reordered; faults mixed in`,
  kind: "simulatedCrash",
  unit: "crashes",
  count: { pr: 1500, full: 200_000 },
  trialMs: 20_000,
  trial: (context) => trial(context, make),
}));

/** What is known outside of the log. */
export interface Known {
  /** A commit has resolved, `durable` said so, or it was written and only its process died. */
  durable: Lsn;
  /** The last batch that was offered. */
  attempted: Lsn;
  /** The last checkpoint that was begun. */
  checkpoint: Lsn;
}

/** Several lives of one log: each begins with what the power cut or the death of the last has left. */
async function trial({ seed, random }: TrialContext, make: MakeLog): Promise<number> {
  const variant = make(random);
  let disk = simDisk({ seed: random.word(), model: modelOf(seed) });
  const known: Known = { durable: 0, attempted: 0, checkpoint: 0 };
  let crashes = 0;
  for (let life = 0; life < LIVES_PER_TRIAL; life += 1) {
    disk.crashAt = disk.operations + 1 + random.below(random.chance(0.3) ? 25 : 220);
    disk.fault = random.chance(FAULTY) ? oneFault(disk.operations, random) : undefined;
    const end = await live(disk, variant, known, random);
    if (end === "died" && !disk.crashed && random.chance(0.7)) continue; // The kernel goes on, with all that it has.
    if (disk.crashed) crashes += 1;
    else disk.crash();
    disk = disk.image(random.pick(SURVIVALS), random.word());
  }
  if (!disk.crashed) disk.crash();
  // Nothing disturbs the last opening: it has to succeed.
  await check(disk.image(random.pick(SURVIVALS), random.word()), variant, known);
  return crashes;
}

/** One operation fails, or all of its kind from then on. */
function oneFault(operations: number, random: Random): SimDisk["fault"] {
  if (random.chance(0.3)) return shortWrites(random);
  const at = operations + 1 + random.below(150);
  const errno = random.pick(["EIO", "ENOSPC"]);
  const isSticky = random.chance(0.3);
  const kinds = new Set(["write", "datasync", "syncDirectory", "open", "truncate", "rename"]);
  return (number, operation) =>
    kinds.has(operation) && (isSticky ? number >= at : number === at) ? errno : undefined;
}

/** Writes and reads are cut short, which is no failure. */
function shortWrites(random: Random): SimDisk["fault"] {
  const every = 2 + random.below(5);
  const most = 1 + random.below(60);
  return (number, operation) =>
    number % every === 0 && (operation === "write" || operation === "read") ? most : undefined;
}

/** One process: opens the log, appends, and is closed, killed, or ended by the power cut. */
export async function live(
  disk: SimDisk,
  variant: Variant<"wal">,
  known: Known,
  random: Random,
): Promise<"closed" | "died"> {
  const process = simProcess(disk);
  let wal: WriteAheadLog | null = null;
  let isReplayed = false;
  let isWell = false;
  try {
    wal = await openLog(process.disk, variant);
    recovered(wal, known);
    isReplayed = true;
    const batches = random.below(60);
    for (let i = 0; i < batches; i += 1) {
      fillBatch(wal.buffer, wal.accepted + 1);
      known.attempted = wal.accepted + 1;
      wal.append();
      known.durable = Math.max(known.durable, wal.durable);
      if (random.chance(0.2)) known.durable = Math.max(known.durable, await wal.commit());
      if (random.chance(0.05)) await cutLog(wal, (until) => (known.checkpoint = until));
    }
    isWell = true;
  } catch (error) {
    if (!isExplained(error, disk)) throw error;
  }
  if (wal === null) return "died";
  if (isReplayed && !isWell && !disk.crashed) await goOn(wal, disk, known);
  if (isWell && random.chance(0.5)) {
    await close(wal, disk, known);
    return "closed";
  }
  process.kill();
  await Promise.resolve(wal[Symbol.asyncDispose]()).catch(() => undefined);
  return "died";
}

/** After a failure a log refuses, or keeps what it acknowledges. */
async function goOn(wal: WriteAheadLog, disk: SimDisk, known: Known): Promise<void> {
  try {
    for (let i = 0; i < BATCHES_AFTER_FAILURE; i += 1) {
      fillBatch(wal.buffer, wal.accepted + 1);
      known.attempted = Math.max(known.attempted, wal.accepted + 1);
      wal.append();
      known.durable = Math.max(known.durable, await wal.commit());
    }
  } catch (error) {
    if (!isExplained(error, disk)) throw error;
  }
}

/** After a close all that was accepted is durable. */
async function close(wal: WriteAheadLog, disk: SimDisk, known: Known): Promise<void> {
  try {
    await wal[Symbol.asyncDispose]();
    known.durable = wal.accepted;
  } catch (error) {
    if (!isExplained(error, disk)) throw error;
  }
}

export async function check(disk: SimDisk, variant: Variant<"wal">, known: Known): Promise<void> {
  const wal = await openLog(disk, variant);
  recovered(wal, known);
  fillBatch(wal.buffer, wal.accepted + 1);
  known.attempted = wal.append();
  known.durable = await wal.commit();
  const again = await openLog(disk.image("nothing"), variant);
  recovered(again, known);
  for (const log of [again, wal]) await log[Symbol.asyncDispose]();
}

/** Replays, and compares with what is known. What was told is durable from now on. */
export function recovered(wal: WriteAheadLog, known: Known): void {
  const { last, checkpoint } = replayChecked(wal, scratch);
  const { durable, attempted } = known;
  if (last < durable) throw new Broken("lost", `batch ${durable} was durable, ${last} came back`);
  if (last > attempted) throw new Broken("wrong", `batch ${last} came back of ${attempted}`);
  if (checkpoint > known.checkpoint) throw new Broken("wrong", `nobody cut at ${checkpoint}`);
  if (wal.durable !== last) throw new Broken("wrong", `durable is ${wal.durable} of ${last}`);
  known.durable = last;
  known.attempted = last;
}

export async function openLog(disk: Disk, variant: Variant<"wal">): Promise<WriteAheadLog> {
  return variant.open({
    memory,
    disk,
    dir: "/wal",
    quarantineDir: "/quarantine",
    storeId: STORE_ID,
    recovery: "tail",
  });
}

/** After a crash anything may be thrown; a fault that was injected explains typed errors. */
function isExplained(error: unknown, disk: SimDisk): boolean {
  if (error instanceof Broken) return false;
  return disk.crashed || (disk.fault !== undefined && isStorageError(error));
}
