import type { MaintainReport } from "@varve/contracts";
import { expect, test } from "vitest";
import type { IdleSeries } from "../src/idle-series.ts";
import { Maintenance } from "../src/maintenance.ts";
import type { Parts } from "../src/parts.ts";
import type { Writer } from "../src/writer.ts";

test("work on blocks, idle series and postings each gets a turn of the event loop to itself", async () => {
  let turn = 0;
  let isDone = false;
  const count = (): void => {
    turn += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const worked: [string, number][] = [];
  const work = (what: string): void => {
    worked.push([what, turn]);
  };
  const report: MaintainReport = {
    sealed: 0,
    persisted: 0,
    pending: 0,
    durableLsn: 0,
    settledLsn: 0,
    cutTime: Number.NEGATIVE_INFINITY,
    isBusy: false,
  };
  const parts = {
    memory: { prefault: () => undefined },
    wal: { stats: { bytesOnDisk: 0 } },
    blocks: {
      maintain: () => {
        work("blocks");
        return Promise.resolve(report);
      },
    },
    postings: { maintain: () => work("postings") },
  } as unknown as Parts;
  const idle = { sweep: () => work("idle") } as unknown as IdleSeries;
  const options = { maintainEveryMs: 0, walBytesMax: 1, prefaultBytes: 0 };
  const maintenance = new Maintenance(parts, {} as Writer, idle, options);
  expect(await maintenance.run(5)).toBe(report);
  isDone = true;
  expect(worked.map(([what]) => what)).toEqual(["blocks", "idle", "postings"]);
  expect(new Set(worked.map(([, at]) => at)).size).toBe(3);
});
