import { makeRandom } from "@varve/bytes";
import type { Lsn, Variant } from "@varve/contracts";
import { simDisk, type SimDisk, type Survival } from "@varve/disk/sim";
import { describe, expect, test } from "vitest";
import { asyncWal } from "../src/async.ts";
import { batchedWal } from "../src/batched.ts";
import { syncWal } from "../src/sync.ts";
import { appendNext, checkBatches, openWal, put, readBack, recordsOf, replay } from "./support.ts";

const SEGMENT = { segmentBytesMax: 32_768 };
/** Batches of a life: with records of up to 3,000 bytes they fill several segments. */
const BATCHES = 18;
const RECORD_BYTES = 3000;
const SURVIVALS: readonly Survival[] = ["nothing", "everything", "prefix", "subset", "subset"];

const VARIANTS: readonly (readonly [string, Variant<"wal">])[] = [
  ["sync", syncWal(SEGMENT)],
  ["batched", batchedWal({ ...SEGMENT, groupBytesMax: 8192, delayMsMax: 1000 })],
  [
    "async, written inline",
    asyncWal({
      ...SEGMENT,
      ringBytesMax: 32_768,
      groupBytesMax: 8192,
      delayMsMax: 1000,
      writer: "inline",
    }),
  ],
];

/** What the harness knows about a life, outside the disk. */
interface Life {
  /** Batches that were said to be durable. */
  durable: Lsn;
  /** Batches that were handed over, accepted or not. */
  offered: Lsn;
  /** A checkpoint that may be found, with the batch it stands for. */
  checkpoint: Lsn;
}

/** Opens, appends, commits now and then, checkpoints once, closes: until the disk crashes. */
async function live(variant: Variant<"wal">, disk: SimDisk, life: Life): Promise<void> {
  const wal = await openWal(variant, disk);
  try {
    replay(wal);
    for (let i = 0; i < BATCHES; i += 1) {
      life.offered = wal.accepted + 1;
      appendNext(wal, RECORD_BYTES);
      life.durable = Math.max(life.durable, wal.durable);
      if (i % 4 === 3) life.durable = Math.max(life.durable, await wal.commit());
      if (i === 12) {
        life.checkpoint = wal.accepted - 2;
        await wal.checkpoint((into) => {
          put(into, checkpointRecord(life.checkpoint));
          return false;
        }, life.checkpoint);
        await wal.truncateBefore(life.checkpoint + 1);
      }
    }
    await wal[Symbol.asyncDispose]();
    life.durable = wal.durable;
  } catch (error) {
    const hasCrashed = disk.crashed;
    disk.crash(); // The process is dead: whatever still runs in it cannot reach the disk.
    await Promise.resolve(wal[Symbol.asyncDispose]()).catch(() => undefined);
    if (!hasCrashed) throw error;
  }
}

function checkpointRecord(lsn: Lsn): Uint8Array {
  return new Uint8Array([77, lsn]);
}

/** R1, R2, R3: whole batches only, in order, without a gap, and all that was durable. */
async function check(variant: Variant<"wal">, disk: SimDisk, life: Life): Promise<Lsn> {
  const found = await readBack(variant, disk);
  const first = found.batches.get(life.checkpoint);
  const isFromCheckpoint =
    life.checkpoint > 0 && first?.length === 1 && first[0]!.length === 2 && first[0]![0] === 77;
  const { lastLsn } = found.recovery;
  if (isFromCheckpoint) found.batches.delete(life.checkpoint);
  checkBatches(found, isFromCheckpoint ? life.checkpoint + 1 : 1, lastLsn, RECORD_BYTES);
  if (lastLsn < life.durable) throw new Error(`${life.durable} was durable, ${lastLsn} is left`);
  if (lastLsn > life.offered) throw new Error(`${lastLsn} is found, ${life.offered} was offered`);
  return lastLsn;
}

async function operationsOf(variant: Variant<"wal">): Promise<number> {
  const disk = simDisk();
  await live(variant, disk, { durable: 0, offered: 0, checkpoint: 0 });
  return disk.operations;
}

describe.each(VARIANTS)("%s", (_, variant) => {
  test("keeps a whole prefix with all that was durable, wherever it crashes", async () => {
    const operations = await operationsOf(variant);
    expect(operations).toBeGreaterThan(60);
    for (let crashAt = 1; crashAt <= operations; crashAt += 1) {
      const life: Life = { durable: 0, offered: 0, checkpoint: 0 };
      const disk = simDisk({ seed: crashAt, crashAt });
      await live(variant, disk, life).catch((error: unknown) => {
        if (!disk.crashed) throw error;
      });
      for (const [i, survival] of SURVIVALS.entries()) {
        const seed = crashAt * 100 + i;
        await check(variant, disk.image(survival, seed), life).catch((error: unknown) => {
          throw new Error(`crash at ${crashAt}, ${survival}, seed ${seed}`, { cause: error });
        });
      }
    }
  });

  test("survives a crash within recovery, and goes on where it was", async () => {
    const operations = await operationsOf(variant);
    const random = makeRandom(7);
    for (let round = 0; round < 60; round += 1) {
      const life: Life = { durable: 0, offered: 0, checkpoint: 0 };
      const disk = simDisk({ seed: round, crashAt: 1 + random.below(operations) });
      await live(variant, disk, life).catch(() => undefined);
      const seed = random.word();
      let image = disk.image("subset", seed);
      for (let again = 0; again < 3; again += 1) {
        const crashing = image;
        crashing.crashAt = 1 + random.below(30);
        await readBack(variant, crashing).catch((error: unknown) => {
          if (!crashing.crashed) throw new Error(`round ${round}, seed ${seed}`, { cause: error });
        });
        image = image.image("subset", seed + again);
      }
      const last = await check(variant, image, life);
      const next: Life = { durable: last, offered: last, checkpoint: life.checkpoint };
      {
        await using wal = await openWal(variant, image);
        replay(wal);
        for (let i = 0; i < 5; i += 1) next.offered = appendNext(wal, RECORD_BYTES);
        next.durable = await wal.commit();
      }
      await check(variant, image.image("nothing"), next);
    }
  });
});

test("the oracle's records depend on the batch", () => {
  expect(recordsOf(1)).not.toEqual(recordsOf(2));
});
