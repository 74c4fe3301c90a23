import { slabAllocator } from "@varve/allocator/slab";
import { makeBatch, makeColumns, makeRandom, reserveMemory, type RowBatch } from "@varve/bytes";
import { xorChunk } from "@varve/chunk/xor";
import { xorWasmChunk } from "@varve/chunk/xor-wasm";
import type { BlockManager, Variant } from "@varve/contracts";
import { simDisk } from "@varve/disk/sim";
import { describe, expect, test } from "vitest";
import { FACTORIES, keysOfNumbers, QUARANTINE, SEALED, STORE_ID } from "./support/bench.ts";

const SERIES = 40;
const BATCHES = 300;
const ROWS = 60;

/** A block manager whose codec is `chunk`, and a batch in the memory of both. */
async function openWith(chunk: Variant<"chunk">, variant: Variant<"block-manager">) {
  const memory = reserveMemory({ bytesMax: 2 ** 24 });
  const allocator = await slabAllocator({ slabBytes: 16_384 }).open({ memory, bytesMax: 2 ** 21 });
  const blocks = await variant.open({
    memory,
    disk: simDisk(),
    dir: SEALED,
    blocksDir: "/",
    storeId: STORE_ID,
    keys: keysOfNumbers(),
    quarantineDir: QUARANTINE,
    allocator,
    chunk: await chunk.open({ memory }),
    seriesExpected: 0,
  });
  return { blocks, allocator, batch: makeBatch(memory, ROWS) };
}

/** All samples of all series, and what the part counts. */
function contentOf(blocks: BlockManager): string {
  const parts: string[] = [];
  using pin = blocks.pin(
    Uint32Array.from({ length: SERIES }, (_, i) => i + 1),
    SERIES,
  );
  for (let i = 0; i < SERIES; i += 1) {
    const into = makeColumns();
    pin.read(i, -Infinity, Infinity, into);
    const bits = new BigUint64Array(into.values.buffer, 0, into.length);
    parts.push(`${i}: ${into.times.subarray(0, into.length).join()}; ${bits.join()}`);
  }
  return parts.join("\n");
}

describe.each(FACTORIES)("%s", (_, factory) => {
  test("does with kernels what it does without", async () => {
    const seed = Date.now();
    const random = makeRandom(seed);
    const options = {
      samplesPerChunk: random.pick([3, 12, 120]),
      chunkBytesFirst: random.pick([24, 128]),
      blockDurationMs: random.pick([50, 5000]),
      chunkJitter: random.pick([0, 0.5]),
      lazyChunks: random.chance(0.5),
      outOfOrderWindowMs: random.pick([0, 40]),
    };
    const about = `seed ${seed}`;
    const each = await openWith(xorChunk(), factory({ ...options, kernel: false }));
    const together = await openWith(xorWasmChunk(), factory(options));
    const newest = new Float64Array(SERIES + 1);
    const fill = (batch: RowBatch, rows: readonly (readonly [number, number, number])[]): void => {
      batch.clear();
      for (const [ref, time, value] of rows) batch.refs[batch.add(time, value)] = ref;
    };
    for (let lsn = 1; lsn <= BATCHES; lsn += 1) {
      const rows = Array.from({ length: 1 + random.below(ROWS) }, () => {
        const ref = 1 + random.below(SERIES);
        const time = newest[ref]! + (random.chance(0.1) ? -random.below(60) : random.below(9));
        newest[ref] = Math.max(time, newest[ref]!);
        return [ref, time, random.chance(0.3) ? random.normal() : random.below(5)] as const;
      });
      const earlier = rows.map(
        ([ref, time, value]) => [ref, time - random.below(12), value] as const,
      );
      for (const { blocks, batch } of [each, together]) {
        fill(batch, rows);
        blocks.admit(batch, 0, batch.length);
        if (lsn % 10 === 0) {
          // What comes instead meets the series as they were.
          blocks.withdraw(batch, 0, batch.length);
          fill(batch, earlier);
          blocks.admit(batch, 0, batch.length);
        }
      }
      const statuses = together.batch.status.subarray(0, rows.length);
      expect(statuses, about).toEqual(each.batch.status.subarray(0, rows.length));
      for (const { blocks, batch } of [each, together]) blocks.append(batch, 0, batch.length, lsn);
      if (lsn % 20 === 0) {
        for (const { blocks } of [each, together]) await blocks.maintain({ budgetMs: Infinity });
      }
      if (lsn % 50 === 0) expect(contentOf(together.blocks), about).toBe(contentOf(each.blocks));
    }
    // Names of blocks are random, and stand in their files as text of more or fewer bytes.
    const expected = { ...each.blocks.stats, blockBytes: 0 };
    expect(expected.samples).toBeGreaterThan(BATCHES);
    expect({ ...together.blocks.stats, blockBytes: 0 }, about).toEqual(expected);
    for (const { blocks, allocator } of [each, together]) {
      await blocks[Symbol.asyncDispose]();
      expect(allocator.stats.live, about).toBe(0);
    }
  });
});
