import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { WalNeeds } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { expect, onTestFinished, test } from "vitest";
import { asyncWal } from "../src/async.ts";
import { batchedWal } from "../src/batched.ts";
import { syncWal } from "../src/sync.ts";
import { appendNext, checkBatches, openWal, replay } from "./support.ts";

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
  ["async", "exit"],
  ["async", "throw"],
  ["async", "end"],
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
  expect(told.recovery.unclean).toBe(true);
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

test("a process that does nothing else ends while a log is open", () => {
  const { path } = store();
  // The fixture's way "end" neither closes nor commits: a timer or a worker that holds the process would hang here.
  execFileSync(process.execPath, ["--conditions=@varve/source", FIXTURE, "async", path, "end"], {
    timeout: 20_000,
  });
});
