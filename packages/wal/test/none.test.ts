import { certify, checked } from "@varve/conformance";
import { simDisk } from "@varve/disk/sim";
import { expect, test } from "vitest";
import { noneWal } from "../src/none.ts";
import { appendNext, openWal, put, replay } from "./support.ts";

certify(noneWal(), { test });
certify(checked(noneWal()), { test });

test("counts batches, keeps nothing, and never says that anything is durable", async () => {
  const disk = simDisk();
  const wal = await openWal(noneWal(), disk);
  expect(replay(wal).recovery).toMatchObject({ lastLsn: 0, records: 0 });
  expect(appendNext(wal)).toBe(1);
  expect(appendNext(wal)).toBe(2);
  expect(wal.buffer.count).toBe(0);
  expect(await wal.commit()).toBe(0);
  expect([wal.accepted, wal.written, wal.durable]).toEqual([2, 0, 0]);
  expect(wal.stats.batches).toBe(2);
  await wal[Symbol.asyncDispose]();
  expect(disk.operations).toBe(0);
});

test("refuses everything once it is closed", async () => {
  const wal = await openWal(noneWal(), simDisk());
  await wal[Symbol.asyncDispose]();
  put(wal.buffer, new Uint8Array([1]));
  expect(() => wal.append()).toThrow(expect.objectContaining({ code: "CLOSED" }) as Error);
  await expect(wal.commit()).rejects.toMatchObject({ code: "CLOSED" });
});
