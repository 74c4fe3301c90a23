import { simDisk } from "@varve/disk/sim";
import { expect, test } from "vitest";
import { batchedWal } from "../src/batched.ts";
import { openWal } from "./support.ts";

test("logs share one exit hook, and the last one to close removes it", async () => {
  const before = process.listenerCount("exit");
  const first = await openWal(batchedWal(), simDisk());
  const second = await openWal(batchedWal(), simDisk());
  expect(process.listenerCount("exit")).toBe(before + 1);
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
  expect(process.listenerCount("exit")).toBe(before);
});
