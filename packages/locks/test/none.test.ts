import { reserveMemory } from "@varve/bytes";
import { certify, checked } from "@varve/conformance";
import { expect, test } from "vitest";
import { noneLocks } from "../src/none.ts";

/** Where the kit's threads find the factory. */
const entry = { url: new URL("../src/none.ts", import.meta.url).href, export: "noneLocks" };
certify(noneLocks(), { test, options: { entry } });
certify(checked(noneLocks()), { test, options: { entry } });

test("none never waits, and counts what a lock would have guarded", async () => {
  const locks = await noneLocks().open({ memory: reserveMemory({ bytesMax: 2 ** 16 }) });
  for (let i = 0; i < 3; i += 1) locks.acquire();
  for (let i = 0; i < 3; i += 1) locks.release();
  expect(locks.stats).toEqual({ acquisitions: 3, contended: 0 });
});
