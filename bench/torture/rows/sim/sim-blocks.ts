import { backgroundBlocks } from "@varve/block-manager/background";
import { immediateBlocks } from "@varve/block-manager/immediate";
import { onFullBlocks } from "@varve/block-manager/on-full";
import { queuedBlocks } from "@varve/block-manager/queued";
import type { BlockOptions } from "@varve/block-manager/background";
import type { Random } from "@varve/bytes";
import { ACCEPTED, type MaintainOptions, STATUS_NAMES, type Variant } from "@varve/contracts";
import { simDisk, type SimDisk, type SimDiskOptions, type Survival } from "@varve/disk/sim";
import { Broken, type Row, type TrialContext } from "../../row.ts";
import {
  fillRows,
  KnownLog,
  type LoggedRow,
  openBlocks,
  type OpenBlocks,
  SERIES_MAX,
} from "../content/blocks-content.ts";
import { modelOf } from "./disk-model.ts";
import { isExplained } from "../content/engine-steps.ts";
import { simProcess } from "./sim-process.ts";

const SURVIVALS: readonly Survival[] = ["nothing", "everything", "prefix", "subset", "subset"];
const LIVES_PER_TRIAL = 6;
const BATCHES_MAX = 40;
const ROWS_PER_BATCH = 24;
const BUDGET_MS = 60_000;

type MakeBlocks = (options: BlockOptions, random: Random) => Variant<"block-manager">;

export const SIM_MANAGERS: Readonly<Record<string, MakeBlocks>> = {
  immediate: (options, random) =>
    immediateBlocks({ ...options, unsyncedBytesMax: random.pick([500, 2 ** 20]) }),
  "on-full": (options, random) =>
    onFullBlocks({ ...options, unsyncedBytesMax: random.pick([500, 2 ** 20]) }),
  queued: (options, random) => queuedBlocks({ ...options, queueChunksMax: 1 + random.below(8) }),
  background: (options) => backgroundBlocks(options),
};

/** Crash upon crash of a block manager on a simulated disk, one row for each variant. */
export const SIM_BLOCKS_ROWS: readonly Row[] = Object.entries(SIM_MANAGERS).map(([name, make]) => ({
  id: `sim-blocks-${name}`,
  title: `${name} blocks: crash after crash on a simulated disk while chunks are sealed, blocks cut, merged and removed, inside recovery, too`,
  kind: "simulatedCrash",
  unit: "crashes",
  count: { pr: 600, full: 50_000 },
  trialMs: 20_000,
  trial: (context) => trial(context, make),
}));

/** Several lives of one part: each begins with what the power cut or the death of the last has left. */
async function trial({ seed, random }: TrialContext, make: MakeBlocks): Promise<number> {
  const known = new KnownLog(random.chance(0.4) ? 60 + random.below(200) : Infinity);
  const options: BlockOptions = {
    samplesPerChunk: 2 + random.below(5),
    blockDurationMs: 8 + random.below(40),
    mergeFactor: 2 + random.below(2),
    mergeLevels: random.below(3),
    retentionMs: known.retentionMs,
    fileBytesMax: random.pick([16 * 1024, 2 ** 20]),
  };
  const part: Part = { variant: make(options, random), windowMs: options.blockDurationMs! };
  let disk = emptyDisk({ seed: random.word(), model: modelOf(seed) });
  let crashes = 0;
  for (let life = 0; life < LIVES_PER_TRIAL; life += 1) {
    disk.crashAt = disk.operations + 1 + random.below(random.chance(0.3) ? 30 : 250);
    const end = await live(disk, part, known, random);
    if (end === "died" && !disk.crashed && random.chance(0.7)) continue; // The kernel goes on, with all that it has.
    if (disk.crashed) crashes += 1;
    else disk.crash();
    disk = disk.image(random.pick(SURVIVALS), random.word());
  }
  if (!disk.crashed) disk.crash();
  // Nothing disturbs the last opening: it has to succeed.
  await live(disk.image(random.pick(SURVIVALS), random.word()), part, known, random);
  return crashes;
}

export interface Part {
  readonly variant: Variant<"block-manager">;
  readonly windowMs: number;
}

export function emptyDisk(options: SimDiskOptions): SimDisk {
  const disk = simDisk(options);
  disk.makeDirectory("/store");
  disk.syncDirectory("/");
  return disk;
}

/** One process: opens the part, replays what it may lack, works, and is closed, killed, or ended by the power cut. */
export async function live(
  disk: SimDisk,
  part: Part,
  known: KnownLog,
  random: Random,
): Promise<"closed" | "died"> {
  const process = simProcess(disk);
  let store: OpenBlocks | null = null;
  try {
    store = await openBlocks(process.disk, part.variant);
    recover(store, known, random);
    const batches = random.below(BATCHES_MAX);
    for (let i = 0; i < batches; i += 1) {
      write(store, known, random);
      if (random.chance(0.3)) await maintain(store, part, known, random);
      if (random.chance(0.1)) await new Promise((resolve) => setImmediate(resolve));
    }
    known.check(store.blocks, known.lsn, "while all goes well");
    if (random.chance(0.5)) {
      await store.blocks[Symbol.asyncDispose]();
      return "closed";
    }
  } catch (error) {
    if (!isExplained(error, disk)) throw error;
  }
  process.kill();
  if (store !== null)
    await Promise.resolve(store.blocks[Symbol.asyncDispose]()).catch(() => undefined);
  return "died";
}

/** What was durable is there before anything is told again; with the later batches, everything. */
export function recover(store: OpenBlocks, known: KnownLog, random: Random): void {
  const { blocks, batch } = store;
  known.check(blocks, known.durableLsn, "once it is opened");
  const { damaged = 0 } = blocks.stats;
  if (damaged > 0) throw new Broken("wrong", `${damaged} stretches count as damaged after a crash`);
  const from = random.chance(0.7) ? known.durableLsn + 1 : 1;
  for (const [lsn, rows] of known.batches) {
    if (lsn < from) continue;
    fillRows(batch, rows);
    blocks.replay(batch, 0, batch.length, lsn, false);
  }
  known.check(blocks, known.lsn, "once the log is replayed");
}

/** Rows of a few series, in order: all are taken. */
export function write({ blocks, batch }: OpenBlocks, known: KnownLog, random: Random): void {
  const count = 1 + random.below(ROWS_PER_BATCH);
  const rows: LoggedRow[] = [];
  for (let i = 0; i < count; i += 1) {
    rows.push({ ref: 1 + random.below(SERIES_MAX), time: known.clock });
    known.clock += 1;
  }
  fillRows(batch, rows);
  blocks.admit(batch, 0, count);
  for (let i = 0; i < count; i += 1) {
    const status = batch.status[i]!;
    if (status === ACCEPTED) continue;
    throw new Broken("wrong", `a row that came in order is ${STATUS_NAMES[status]}`);
  }
  blocks.append(batch, 0, count, known.log(rows));
}

/** Seals, persists, cuts and merges. */
function maintain(store: OpenBlocks, part: Part, known: KnownLog, random: Random): Promise<void> {
  const isCutting = random.chance(0.15);
  const cutBefore = known.clock - random.below(2 * part.windowMs);
  const sealBeforeLsn = random.chance(0.5) ? random.below(known.lsn + 2) : 0;
  return maintainBlocks(store, part, known, {
    sealBeforeLsn,
    ...(isCutting ? { cutBefore } : {}),
  });
}

/** Maintains, and keeps what it says. Time moves on to the next window where one is cut before its end. */
export async function maintainBlocks(
  { blocks }: OpenBlocks,
  { windowMs }: Part,
  known: KnownLog,
  wishes: Pick<MaintainOptions, "sealBeforeLsn" | "cutBefore">,
): Promise<void> {
  const { cutBefore } = wishes;
  if (cutBefore !== undefined) {
    known.clock = Math.max(known.clock, Math.ceil(cutBefore / windowMs) * windowMs);
  }
  const { durableLsn } = await blocks.maintain({ budgetMs: BUDGET_MS, ...wishes });
  if (durableLsn > known.lsn) throw new Broken("wrong", `batch ${durableLsn} is not written yet`);
  known.durableLsn = Math.max(known.durableLsn, durableLsn);
}
