import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Row, TrialContext } from "../../row.ts";
import { CUT_TOOLS, CutDisk, FILE_SYSTEMS, type FileSystem, roomBytes } from "./cut-disk.ts";
import { MountRoom } from "./mount-room.ts";
import { StoreGrowth } from "./store-growth.ts";
import { lacksMounts } from "./system-tools.ts";
import { endLives, LOG_NAMES, type LogName, Victim, type VictimOrder } from "../process/victim.ts";

/** Cuts of one directory, and directories of one file system. */
const LIVES = { pr: 1, full: 12 };
const DIRECTORIES = { pr: 1, full: 2 };
const DELAY_MS_MAX = { log: 120, engine: 200 };
/** How likely the kernel is writing what it holds when the power is cut. */
const FLUSHING = 0.3;

type Store = Pick<VictimOrder, "what" | "log">;

const ABOUT =
  "power cut at a random instant again and again, in recovery, too, while the log rolls and is cut; what was acknowledged as durable before has to be there";

/** File systems shut down under processes that write: a row for each log and for the engine, on each file system. */
export const POWER_CUT_ROWS: readonly Row[] = FILE_SYSTEMS.flatMap((kind) => [
  ...LOG_NAMES.map((log) =>
    rowOf(kind, `wal-${log}`, `${log} log on ${kind}: ${ABOUT}`, () => ({ what: "log", log })),
  ),
  rowOf(kind, "engine", `whole engine on ${kind}, each log in turn: ${ABOUT}`, ({ random }) => ({
    what: "engine",
    log: random.pick<LogName>(LOG_NAMES),
  })),
]);

function rowOf(
  kind: FileSystem,
  name: string,
  title: string,
  storeOf: (context: TrialContext) => Store,
): Row {
  return {
    id: `power-cut-${kind}-${name}`,
    title,
    kind: "powerCut",
    unit: "cuts",
    count: { pr: 1, full: 500 },
    trialMs: 120_000,
    lacks: () => lacksMounts(CUT_TOOLS),
    trial: (context) => trial(context, kind, storeOf),
  };
}

/** One file system, and directory after directory on it. */
async function trial(
  context: TrialContext,
  kind: FileSystem,
  storeOf: (context: TrialContext) => Store,
): Promise<number> {
  const { tier, dir: outer, random } = context;
  await using room = await MountRoom.open(outer, roomBytes(kind));
  const disk = await CutDisk.make(room, kind, random);
  await checkCut(disk);
  let cuts = 0;
  for (let i = 0; i < DIRECTORIES[tier]; i += 1) {
    const store = storeOf(context);
    const { dir, outside } = await disk.makeDirectory(`store-${i}`);
    const growth = new StoreGrowth(store.what === "log" ? outside : join(outside, "data"));
    cuts += await endLives({
      ...store,
      dir,
      random,
      lives: LIVES[tier],
      kept: "durable",
      delayMsMax: DELAY_MS_MAX[store.what],
      start: () => new Victim(store.what, join(outer, "cache"), room.prefix),
      async end(victim) {
        const before = await cutPower(disk, victim, random.chance(FLUSHING));
        growth.look();
        return before;
      },
    });
    growth.end(store.what);
  }
  return cuts;
}

/** Cuts the power under a victim. Resolves how many of its lines had been heard before. */
async function cutPower(disk: CutDisk, victim: Victim, isFlushing: boolean): Promise<number> {
  const cut = await disk.readyCut();
  if (isFlushing) disk.flushBeside();
  const before = victim.lines.length;
  cut.begin();
  await cut.done();
  await victim.kill();
  await disk.restart();
  return before;
}

/** The method has to lose what was not synced, and nothing else: else the rows would be blind. */
async function checkCut(disk: CutDisk): Promise<void> {
  const { outside } = await disk.makeDirectory("control");
  writeFileSync(join(outside, "synced"), "synced", { flush: true });
  writeFileSync(join(outside, "not-synced"), "not synced");
  const cut = await disk.readyCut();
  cut.begin();
  await cut.done();
  await disk.restart();
  if (!existsSync(join(outside, "synced"))) throw new Error("a power cut lost what was synced");
  if (existsSync(join(outside, "not-synced"))) throw new Error("a power cut lost nothing");
}
