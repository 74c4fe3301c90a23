import { recommended, type EngineOptions } from "varve";
import { asyncWal } from "@varve/wal/async";
import { syncWal } from "@varve/wal/sync";
import { fork } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { contentOf, freshDir, openStore, planWith } from "./helpers.ts";

const ROWS = 1000;
const PLANS: Record<string, EngineOptions["plan"]> = {
  batched: recommended(),
  sync: planWith({ wal: syncWal() }),
  async: planWith({ wal: asyncWal() }),
};

for (const [log, plan] of Object.entries(PLANS)) {
  for (const way of ["exit", "throw", "reject", "end"]) {
    test(`${log} log: what was accepted is drained when the process ends by ${way}`, async () => {
      const dir = freshDir();
      const child = fork(join(import.meta.dirname, "leaver.ts"), [dir, log, way, String(ROWS)], {
        execArgv: ["--conditions=@varve/source", "--no-memory-protection-keys"],
        silent: true,
      });
      let said = "";
      child.stderr!.on("data", (text: Buffer) => (said += text.toString()));
      const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
      expect(code, said).toBe({ exit: 3, throw: 1, reject: 1, end: 0 }[way]);
      const store = await openStore({ dir, plan });
      expect([...(await contentOf(store)).values()].map((samples) => samples.length)).toEqual([
        ROWS,
      ]);
    }, 30_000);
  }
}
