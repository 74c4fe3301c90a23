import type { WriteAheadLog } from "@varve/contracts";
import { syncWal } from "@varve/wal/sync";
import { expect, test } from "vitest";
import { freshDir, openStore, planWith } from "./helpers.ts";

test("marks are in order however far the log's writer comes while they are read", async () => {
  const log = syncWal();
  let far = 0;
  const plan = planWith({
    wal: { ...log, open: async (needs) => hasteful(await log.open(needs), () => far) },
  });
  const store = await openStore({ dir: freshDir(), plan });
  far = 100;
  const { accepted, written, durable } = store.marks;
  far = 0;
  expect(durable).toBeGreaterThan(100);
  expect(written).toBeGreaterThanOrEqual(durable);
  expect(accepted).toBeGreaterThanOrEqual(written);
  await store.close();
});

/** A log whose writer gets on at every look at a mark, as one in a worker may. */
function hasteful(log: WriteAheadLog, far: () => number): WriteAheadLog {
  let looks = 0;
  return new Proxy(log, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value === "function") return value.bind(target);
      if (name !== "accepted" && name !== "written" && name !== "durable") return value;
      looks += 1;
      return far() === 0 ? value : far() + looks;
    },
  });
}
