import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { WalNeeds } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { expect, onTestFinished, test } from "vitest";
import { asyncWal } from "../src/async.ts";
import { batchedWal } from "../src/batched.ts";
import { syncWal } from "../src/sync.ts";
import { appendNext, checkBatches, openWal, replay } from "./support.ts";

const PAUSE = fileURLToPath(new URL("fixtures/pause.ts", import.meta.url));
const SLOW_SYNC = new URL("fixtures/slow-sync.ts", import.meta.url).href;
const FIXTURE = fileURLToPath(new URL("fixtures/append-and-exit.ts", import.meta.url));

function store(): { readonly path: string; readonly needs: Partial<WalNeeds> } {
  const path = mkdtempSync(join(tmpdir(), "varve-wal-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return { path, needs: { dir: join(path, "wal"), quarantineDir: join(path, "q") } };
}

test.each([
  ["sync", syncWal(), 50],
  ["batched", batchedWal({ segmentBytesMax: 2 ** 20 }), 10_000],
  ["async", asyncWal({ segmentBytesMax: 2 ** 20, ringBytesMax: 2 ** 16 }), 10_000],
] as const)("a %s log on the real disk gives back every batch", async (_, variant, count) => {
  const { needs } = store();
  {
    await using wal = await openWal(variant, nodeDisk(), needs);
    replay(wal);
    for (let i = 0; i < count; i += 1) appendNext(wal);
    expect(await wal.commit()).toBe(count);
    expect(wal.written).toBe(count);
    for (let i = 0; i < 10; i += 1) appendNext(wal);
  }
  await using wal = await openWal(variant, nodeDisk(), needs);
  const told = replay(wal);
  checkBatches(told, 1, count + 10);
  expect(told.recovery.unclean).toBe(false);
});

test.each([
  ["batched", "exit"],
  ["batched", "throw"],
  ["batched", "end"],
  ["batched", "closing"],
  ["async", "exit"],
  ["async", "throw"],
  ["async", "end"],
  ["async", "closing"],
] as const)("a %s log is drained when the process ends by %s", async (name, way) => {
  const { path, needs } = store();
  const { status } = spawnSync(
    process.execPath,
    ["--conditions=@varve/source", FIXTURE, name, path, way],
    { encoding: "utf8" },
  );
  expect(status).toBe(way === "throw" ? 1 : 0);
  await using wal = await openWal(syncWal(), nodeDisk(), needs);
  const told = replay(wal);
  checkBatches(told, 1, 3000);
  if (way !== "closing") expect(told.recovery.unclean).toBe(true);
});

test.each(["batched", "async"])(
  "commit, checkpoint and close of a %s log settle in a process with nothing else to do",
  (name) => {
    const { path } = store();
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--conditions=@varve/source", FIXTURE, name, path, "close"],
      { encoding: "utf8", timeout: 20_000 },
    );
    expect(stderr).not.toContain("unsettled");
    expect(status).toBe(0);
  },
);

test("a process that is stopped for longer than drainMsMax does not take its worker for lost", async () => {
  const { path, needs } = store();
  const child = spawn(process.execPath, ["--conditions=@varve/source", PAUSE, path], {
    env: { ...process.env, NODE_OPTIONS: `--import=${SLOW_SYNC}` },
  });
  let said = "";
  for await (const text of child.stdout) {
    said += String(text);
    if (said !== "stops\n") continue;
    await setTimeout(100);
    child.kill("SIGSTOP");
    await setTimeout(2500);
    child.kill("SIGCONT");
  }
  expect(said).toMatch(/^stops\nclosed \d+\n$/);
  await using wal = await openWal(syncWal(), nodeDisk(), needs);
  checkBatches(replay(wal), 1, Number(said.split(" ")[1]));
}, 20_000);

test.each([
  ["exit", "before the writer got to them"],
  ["late", "while the writer was stuck"],
])(
  "an exit (%s) says on stderr which batches were not drained %s",
  async (way) => {
    const { path, needs } = store();
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--conditions=@varve/source", FIXTURE, "async", path, way],
      {
        encoding: "utf8",
        env: { ...process.env, NODE_OPTIONS: `--import=${SLOW_SYNC}`, SYNC_MS: "60000" },
      },
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/^varve: batches \d+ to 3000 of .*\/wal are not durable: /m);
    const from = Number(/batches (\d+) to/.exec(stderr)![1]);
    await using wal = await openWal(syncWal(), nodeDisk(), needs);
    const told = replay(wal);
    checkBatches(told, 1, told.recovery.lastLsn);
    expect(told.recovery.lastLsn).toBeGreaterThanOrEqual(from - 1);
  },
  30_000,
);

test("a process that does nothing else ends while a log is open", () => {
  const { path } = store();
  // The fixture's way "end" neither closes nor commits: a timer or a worker that holds the process would hang here.
  execFileSync(process.execPath, ["--conditions=@varve/source", FIXTURE, "async", path, "end"], {
    timeout: 20_000,
  });
});
