import { recommended, type EngineOptions } from "varve";
import { asyncWal } from "@varve/wal/async";
import { syncWal } from "@varve/wal/sync";
import { fork } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { contentOf, freshDir, openStore, planWith } from "./helpers.ts";

const ROWS = 1000;
const CODES = { exit: 3, throw: 1, reject: 1, end: 0 };
/** Nothing in these depends on the log. */
const MORE_CODES = { closing: 4, SIGTERM: 143, SIGINT: 130 };
const PLANS: Record<string, EngineOptions["plan"]> = {
  batched: recommended(),
  sync: planWith({ wal: syncWal() }),
  async: planWith({ wal: asyncWal() }),
};

for (const [log, plan] of Object.entries(PLANS)) {
  const codes = log === "batched" ? { ...CODES, ...MORE_CODES } : CODES;
  for (const [way, wanted] of Object.entries(codes)) {
    test(`${log} log: what was accepted is drained when the process ends by ${way}`, async () => {
      const dir = freshDir();
      const child = fork(join(import.meta.dirname, "leaver.ts"), [dir, log, way, String(ROWS)], {
        execArgv: ["--conditions=@varve/source", "--no-memory-protection-keys"],
        silent: true,
      });
      let said = "";
      child.stderr!.on("data", (text: Buffer) => (said += text.toString()));
      const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
      expect(code, said).toBe(wanted);
      const store = await openStore({ dir, plan });
      expect([...(await contentOf(store)).values()].map((samples) => samples.length)).toEqual([
        ROWS,
      ]);
    }, 30_000);
  }
}

test("shutdown hooks are there when asked for, until they are given back or the store is closed", async () => {
  const counts = (): number[] => [
    process.listenerCount("SIGTERM"),
    process.listenerCount("SIGHUP"),
  ];
  const before = counts();
  const store = await openStore({ dir: freshDir() });
  expect(counts()).toEqual(before);
  const remove = store.installShutdownHooks({ signals: ["SIGHUP"] });
  store.installShutdownHooks();
  expect(counts()).toEqual(before.map((count) => count + 1));
  remove();
  expect(counts()).toEqual([before[0]! + 1, before[1]]);
  expect(() => store.installShutdownHooks({ signals: ["SIGHUP", "SIGKILL"] })).toThrow();
  expect(counts()[1]).toBe(before[1]);
  await store.close();
  expect(counts()).toEqual(before);
  expect(() => store.installShutdownHooks()).toThrow(
    expect.objectContaining({ code: "CLOSED" }) as Error,
  );
});
