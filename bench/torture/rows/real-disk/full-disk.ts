import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Broken, type Fault, type Row, type TrialContext } from "../../row.ts";
import type { FillOrder } from "./full-disk-worker.ts";
import { MountRoom } from "./mount-room.ts";
import { lacksMounts } from "./system-tools.ts";
import { LOG_NAMES, Victim } from "../process/victim.ts";

const PROGRAM = fileURLToPath(new URL("./full-disk-worker.ts", import.meta.url));
const ROOM_BYTES = 2 ** 20;
/** From 64 KiB to 1 MiB, 4 KiB apart, in an order in which neighbours are far apart. */
const SIZES = 240;
const SIZE_STRIDE = 53;
const SIZE_BYTES = 4096;
const SIZE_BYTES_MIN = 64 * 1024;
const FILLS_PER_TRIAL = 3;

const FULL_DISK: Row = {
  id: "full-disk-tmpfs",
  title:
    "each log and the engine on real file systems of 64 KiB to 1 MiB, of few inodes, and with a limit of a file's size: full, tried, relieved, gone on with by the same handle, opened again",
  kind: "ioError",
  unit: "fills",
  count: { pr: 4 * FILLS_PER_TRIAL, full: SIZES * FILLS_PER_TRIAL },
  trials: { pr: 4, full: SIZES },
  trialMs: 60_000,
  lacks: () => lacksMounts([{ program: "prlimit", debian: "util-linux" }]),
  trial,
};

export const FULL_DISK_ROWS: readonly Row[] = [FULL_DISK];

async function trial({ seed, random, dir: outer }: TrialContext): Promise<number> {
  await using room = await MountRoom.open(outer, ROOM_BYTES);
  const cache = join(outer, "cache");
  mkdirSync(cache, { recursive: true });
  const log = LOG_NAMES[seed % 4];
  const what = log === undefined ? "engine" : "log";
  const worker = new Victim(what, cache, room.prefix, { path: PROGRAM });
  try {
    const ended = worker.says("end");
    worker.order({
      what,
      log: log ?? random.pick(LOG_NAMES),
      seed: random.word(),
      dir: room.dir,
      bytes: SIZE_BYTES_MIN + SIZE_BYTES * ((seed * SIZE_STRIDE) % SIZES),
    } satisfies FillOrder);
    await ended;
    const [word, ...rest] = (worker.lines.at(-1) ?? "").split(" ");
    if (word === "end") return Number(rest[0]);
    const text = rest.slice(1).join(" ");
    if (word === "broken") throw new Broken(rest[0] as Fault, `${worker.lines.at(-2)}: ${text}`);
    throw new Broken("wrong", `a process ended by itself, ${worker.fate}`);
  } finally {
    await worker.kill();
  }
}
