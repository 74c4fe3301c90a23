import { makeRecordBuffer } from "@varve/bytes";
import { ACCEPTED, type RecordBuffer, type Variant, type WriteAheadLog } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { CATALOG } from "@varve/lab";
import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "tinybench";
import type { BenchmarkOptions } from "./run.ts";
import {
  BATCH_ROWS,
  makeBatches,
  makeBench,
  makeDir,
  makeLabels,
  makeMemory,
  numberRows,
  ROWS,
} from "./rows.ts";

/** Appending records of new series, and one commit at the end: everything is durable when the time stops. */
export async function benchmark(options: BenchmarkOptions): Promise<Bench> {
  const bench = makeBench("wal", options);
  const memory = makeMemory();
  const dir = makeDir();
  const perBatch = await encoded("ref", BATCH_ROWS);
  const perRow = await encoded("inline", 1);
  let count = 0;
  const openLog = async (variant: Variant<"wal">, at = `log-${(count += 1)}`) => {
    mkdirSync(join(dir, at), { recursive: true });
    const log = await variant.open({
      memory,
      disk: nodeDisk(),
      dir: join(dir, at, "wal"),
      quarantineDir: join(dir, at, "quarantine"),
      storeId: "00112233445566778899aabbccddeeff",
      recovery: "tail",
    });
    let records = 0;
    log.replay(() => {
      records += 1;
    });
    return { log, at, records };
  };
  const race = async (
    name: string,
    make: () => Variant<"wal">,
    groups: readonly RecordBuffer[],
  ): Promise<void> => {
    const { persistent } = make().traits;
    const first = await openLog(make());
    await appendAll(first.log, groups);
    assert.equal(
      first.log.durable,
      persistent ? groups.length : 0,
      `${name} makes every batch durable`,
    );
    await first.log[Symbol.asyncDispose]();
    const again = await openLog(make(), first.at);
    const wanted = persistent ? groups.reduce((sum, group) => sum + group.count, 0) : 0;
    assert.equal(again.records, wanted, `${name} tells every record again`);
    await again.log[Symbol.asyncDispose]();
    rmSync(join(dir, first.at), { recursive: true });
    let open: Awaited<ReturnType<typeof openLog>> | null = null;
    bench.add(name, async () => appendAll(open!.log, groups), {
      beforeEach: async () => {
        open = await openLog(make());
      },
      afterEach: async () => {
        await open?.log[Symbol.asyncDispose]();
        if (open !== null) rmSync(join(dir, open.at), { recursive: true });
        open = null;
      },
    });
  };
  for (const [name, entry] of Object.entries(CATALOG.wal)) {
    const make = (): Variant<"wal"> => entry.make();
    await race(`${name}, batches of ${BATCH_ROWS}`, make, perBatch);
    // A sync a row would take seconds and shows only the disk.
    if (name !== "sync") await race(`${name}, a batch a row, labels inline`, make, perRow);
  }
  const writeEach = (): Variant<"wal"> => CATALOG.wal["batched"]!.make({ groupBytesMax: 1 });
  await race("batched, a write a row, labels inline", writeEach, perRow);
  return bench;
}

async function appendAll(log: WriteAheadLog, groups: readonly RecordBuffer[]): Promise<void> {
  for (const group of groups) {
    const { buffer } = log;
    buffer.reserve(group.length);
    buffer.bytes.set(group.bytes, buffer.length);
    let from = 0;
    for (let i = 0; i < group.count; i += 1) {
      buffer.length += group.ends[i]! - from;
      from = group.ends[i]!;
      buffer.endRecord();
    }
    log.append();
  }
  await log.commit();
}

/** The rows of an iteration as records, `rows` in each batch of the log. */
async function encoded(record: string, rows: number): Promise<RecordBuffer[]> {
  const codec = await CATALOG.record[record]!.make().open({});
  const batches = await makeBatches(makeMemory(), makeLabels());
  numberRows(batches);
  const groups = batches.flatMap((batch) => {
    batch.status.fill(ACCEPTED);
    batch.isNew.fill(1);
    return Array.from({ length: BATCH_ROWS / rows }, (_, i) => {
      const into = makeRecordBuffer();
      codec.encode(batch, i * rows, (i + 1) * rows, into);
      into.bytes = into.bytes.slice(0, into.length);
      return into;
    });
  });
  assert.equal(groups.length * rows, ROWS);
  return groups;
}
