import type { Variant } from "@varve/contracts";
import type { SimDisk } from "@varve/disk/sim";
import { asyncWal } from "@varve/wal/async";
import { batchedWal } from "@varve/wal/batched";
import { syncWal } from "@varve/wal/sync";
import type { Row, Tier, TrialContext } from "../../row.ts";
import { crashedLog } from "./every-point.ts";
import { emptyDisk } from "./sim-blocks.ts";
import { check, type Known, openLog } from "./sim-wal.ts";
import { fillBatch } from "../content/wal-content.ts";

/** Pending operations of which every subset is tried; of more, some. */
const PENDING_MAX: Readonly<Record<Tier, number>> = { pr: 6, full: 10 };
const SOME = 64;
/** Batches that are written one by one and not synced, and ends of a life like any other. */
const BURST_MAX = 10;
const POINTS = 401;
const PR_POINTS = 8;
const STRIDE = 147;
const LIFE_SEED = 7;
/** So small that every batch is a group of its own. */
const GROUP_BYTES = 1;
const PAGE_BYTES = 32 * 1024;
const NEVER_MS = 2 ** 30;

const OPTIONS = {
  segmentBytesMax: PAGE_BYTES,
  groupBytesMax: GROUP_BYTES,
  ringBytesMax: PAGE_BYTES,
  delayMsMax: NEVER_MS,
} as const;

const LOGS: Readonly<Record<string, Variant<"wal">>> = {
  sync: syncWal(OPTIONS),
  batched: batchedWal(OPTIONS),
  async: asyncWal({ ...OPTIONS, writer: "inline" }),
};

/** Power cuts of logs that leave any subset of what was not synced, one row for each variant. */
export const EVERY_SUBSET_ROWS: readonly Row[] = Object.entries(LOGS).map(([name, variant]) => ({
  id: `sim-every-subset-wal-${name}`,
  title: `${name} log: every subset of up to ${PENDING_MAX.full} writes, truncations and names that were not synced, at each of ${POINTS} operations, and after up to ${BURST_MAX} batches that nobody committed`,
  kind: "simulatedCrash",
  unit: "images",
  count: { pr: 300, full: 2000 },
  trials: { pr: BURST_MAX + PR_POINTS, full: BURST_MAX + POINTS },
  trialMs: 120_000,
  trial: (context) => everySubset(context, variant),
}));

async function everySubset(
  { seed, tier, random }: TrialContext,
  variant: Variant<"wal">,
): Promise<number> {
  const place = (seed - 1) % (BURST_MAX + POINTS);
  const disk = emptyDisk({ seed: LIFE_SEED }).image("everything", LIFE_SEED);
  const isBurst = place < BURST_MAX;
  if (!isBurst) disk.crashAt = 1 + (((place - BURST_MAX) * STRIDE) % POINTS);
  const known = isBurst
    ? await burst(disk, variant, place + 1)
    : await crashedLog(variant).liveUntilCrash(disk);
  const { pending } = disk;
  const isAll = pending <= PENDING_MAX[tier];
  const count = isAll ? 2 ** pending : SOME;
  for (let i = 0; i < count; i += 1) {
    const kept = isAll ? i : random.below(2 ** Math.min(pending, 31));
    await check(disk.imageOfSubset(kept), variant, { ...known });
  }
  return count;
}

/** A log that has some batches, and writes so many more. */
async function burst(disk: SimDisk, variant: Variant<"wal">, batches: number): Promise<Known> {
  const wal = await openLog(disk, variant);
  wal.replay(() => undefined);
  for (let lsn = 1; lsn <= BURST_MAX; lsn += 1) {
    fillBatch(wal.buffer, lsn);
    wal.append();
  }
  await wal.commit();
  for (let i = 1; i <= batches; i += 1) {
    fillBatch(wal.buffer, wal.accepted + 1);
    wal.append();
  }
  const { durable, accepted } = wal;
  disk.crash();
  await Promise.resolve(wal[Symbol.asyncDispose]()).catch(() => undefined);
  return { durable, attempted: accepted, checkpoint: 0 };
}
