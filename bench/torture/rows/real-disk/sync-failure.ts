import { rmSync } from "node:fs";
import { join } from "node:path";
import { Broken, type Row, type TrialContext } from "../../row.ts";
import { FILE_SYSTEMS } from "./cut-disk.ts";
import { FAILING_TOOLS, FailingDisk, failingRoomBytes } from "./failing-disk.ts";
import { MountRoom } from "./mount-room.ts";
import { failedSyncs, tracing } from "./sync-trace.ts";
import { lacksMounts } from "./system-tools.ts";
import { endLives, LOG_NAMES, Victim } from "../process/victim.ts";

const FAILURES_PER_TRIAL = 2;
/** File systems, and three logs and the engine on each. */
const COMBINATIONS = 8;
const DELAY_MS_MAX = 150;
/** How long a store may take to meet a device that fails. */
const FAILING_MS_MAX = 20_000;

const SYNC_FAILURE: Row = {
  id: "sync-eio-device",
  title:
    "each log and the engine on ext4 and XFS on a block device that fails under a sync: refused from then on, no file synced again (strace), opened again with the old cache and without, all that was durable there",
  kind: "ioError",
  unit: "failures",
  count: { pr: FAILURES_PER_TRIAL, full: 3 * COMBINATIONS * FAILURES_PER_TRIAL },
  trialMs: 120_000,
  lacks: () => lacksMounts(FAILING_TOOLS),
  trial,
};

export const SYNC_FAILURE_ROWS: readonly Row[] = [SYNC_FAILURE];

/** Lives in pairs: the device fails under the first, and the second sees what the kernel has kept of it in memory. */
async function trial({ seed, random, dir: outer }: TrialContext): Promise<number> {
  const combination = seed % COMBINATIONS;
  const kind = FILE_SYSTEMS[combination % 2]!;
  const log = LOG_NAMES[combination >> 1];
  const what = log === undefined ? "engine" : "log";
  await using room = await MountRoom.open(outer, failingRoomBytes(kind));
  await using disk = await FailingDisk.make(room, kind);
  const dir = join(disk.dir, "store");
  await room.run(`mkdir '${dir}' && sync -f '${dir}'`);
  let life = 0;
  let failures = 0;
  let starts = 0;
  const trace = (number: number): string => join(room.memory, `syncs-${number}`);
  await endLives({
    what,
    log: log ?? random.pick(LOG_NAMES),
    dir,
    random,
    lives: 2 * FAILURES_PER_TRIAL,
    kept: "durable",
    delayMsMax: DELAY_MS_MAX,
    start() {
      const prefix = [...room.prefix, ...tracing(trace(starts))];
      starts += 1;
      return new Victim(what, join(outer, "cache"), prefix);
    },
    async end(victim) {
      const isFirst = life % 2 === 0;
      const before = isFirst ? await fail(disk, victim) : victim.lines.length;
      await victim.kill();
      const path = join(room.outside, "memory", `syncs-${life}`);
      failures += failedSyncs(path);
      rmSync(path);
      life += 1;
      if (!isFirst || !(await disk.isUsable())) await disk.remount();
      return before;
    },
  });
  if (failures === 0) throw new Error("no sync has failed: the row shows nothing");
  return FAILURES_PER_TRIAL;
}

/** Fails the device until the victim has met it. Resolves how many of its lines are promises: those before it met it. */
async function fail(disk: FailingDisk, victim: Victim): Promise<number> {
  if (victim.lines.some(isFailure)) return victim.lines.length; // A finding: nothing was failing yet.
  const met = victim.says("failed");
  disk.isFailing = true;
  const patience = setTimeout(() => void victim.kill(), FAILING_MS_MAX);
  await met;
  clearTimeout(patience);
  disk.isFailing = false;
  const at = victim.lines.findIndex(isFailure);
  if (at < 0) throw new Broken("hang", `a store did not meet its device's failure, ${victim.fate}`);
  return at;
}

function isFailure(line: string): boolean {
  return /^(failed|broken) /.test(line);
}
