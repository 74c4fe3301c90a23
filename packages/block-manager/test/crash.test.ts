import { makeRandom, type Random } from "@varve/bytes";
import { ACCEPTED, LIMIT } from "@varve/contracts";
import { Crash, simDisk, type SimDisk, type Survival } from "@varve/disk/sim";
import { describe, expect, test } from "vitest";
import { type Bench, FACTORIES, openBench } from "./support/bench.ts";

/** More seeds find more: `CRASH_SEEDS=20000 vitest run …`. */
const SEEDS = Number(process.env["CRASH_SEEDS"] ?? 150);
/** Enough for a page of each table and the batch. */
const MEMORY_BYTES = 2 ** 19;
const SURVIVALS: readonly Survival[] = ["nothing", "everything", "prefix", "subset"];

type Row = readonly [ref: number, time: number, value: number];

/** What an engine's log would hold: all batches, each durable before it is applied, and where it may be cut. */
interface Log {
  readonly batches: Row[][];
  durableLsn: number;
}

function batchOf(random: Random, lsn: number): Row[] {
  return Array.from({ length: 1 + random.below(6) }, () => [1 + random.below(4), lsn, lsn * 10]);
}

/** Opens, replays what the log still holds, goes on with new batches and maintenance. Ends early in a crash. */
async function live(
  disk: SimDisk,
  log: Log,
  factory: (typeof FACTORIES)[number][1],
  random: Random,
  rounds: number,
) {
  let bench: Bench | undefined;
  try {
    const fileBytesMax = 700;
    const chunkBytesMax = 128;
    const options = { samplesPerChunk: 3, regionsPerRefill: 2, chunkBytesMax, fileBytesMax };
    bench = await openBench(factory(options), { disk, memoryBytesMax: MEMORY_BYTES });
    for (let lsn = log.durableLsn + 1; lsn <= log.batches.length; lsn += 1)
      bench.write(log.batches[lsn - 1]!, lsn);
    bench.lsn = log.batches.length;
    for (let round = 0; round < rounds; round += 1) {
      for (let i = random.below(6); i > 0; i -= 1) {
        const rows = batchOf(random, log.batches.length + 1);
        bench.admit(rows);
        log.batches.push(rows.filter((_, row) => bench!.batch.status[row] === ACCEPTED));
        bench.blocks.append(bench.batch, 0, bench.batch.length, log.batches.length);
      }
      const lag = random.below(12);
      const report = await bench.blocks.maintain({
        budgetMs: random.chance(0.3) ? 0 : 1000,
        sealBeforeLsn: log.batches.length - lag,
      });
      expect(report.durableLsn).toBeLessThanOrEqual(log.batches.length);
      log.durableLsn = Math.max(log.durableLsn, report.durableLsn);
    }
    if (random.chance(0.3)) await bench.close();
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
}

/** After a crash and a replay of what the log holds beyond `durableLsn`: every sample once, in order. */
async function verify(
  disk: SimDisk,
  log: Log,
  factory: (typeof FACTORIES)[number][1],
): Promise<void> {
  const bench = await openBench(factory({ samplesPerChunk: 3 }), {
    disk,
    memoryBytesMax: MEMORY_BYTES,
  });
  for (let lsn = log.durableLsn + 1; lsn <= log.batches.length; lsn += 1)
    bench.write(log.batches[lsn - 1]!, lsn);
  for (let ref = 1; ref <= 4; ref += 1) {
    const written = log.batches.flat().filter((row) => row[0] === ref);
    expect(bench.read(ref)).toEqual(written.map(([, time, value]) => ({ time, value })));
  }
  expect(bench.stats.damaged).toBe(0);
}

/** A log that commits late: what is beyond `durable` may be lost in a crash. */
interface LateLog extends Log {
  durable: number;
}

/** Lives like `live`, over a log that only `commitLog` makes durable, and that may refuse that. */
async function liveLate(
  disk: SimDisk,
  log: LateLog,
  factory: (typeof FACTORIES)[number][1],
  random: Random,
): Promise<void> {
  const options = { samplesPerChunk: 3, regionsPerRefill: 2, chunkBytesMax: 128 };
  const variant = factory({ ...options, fileBytesMax: 700 });
  const bytesMax = random.pick([1500, 2 ** 20]);
  try {
    const bench = await openBench(variant, { disk, memoryBytesMax: MEMORY_BYTES, bytesMax });
    for (let lsn = log.durableLsn + 1; lsn <= log.batches.length; lsn += 1) {
      // An engine gives up an opening that has no room for what the log tells.
      if (bench.write(log.batches[lsn - 1]!, lsn).includes(LIMIT)) return;
    }
    const commitLog = async (): Promise<void> => {
      const { length } = log.batches;
      await Promise.resolve();
      if (random.chance(0.2)) throw new Error("no log");
      log.durable = length;
    };
    for (let round = 0; round < 6; round += 1) {
      for (let i = random.below(6); i > 0; i -= 1) {
        // A value tells which life wrote it: lost batches are followed by others of the same numbers.
        const lsn = log.batches.length + 1;
        const rows = Array.from({ length: 1 + random.below(6) }, (): Row => [
          1 + random.below(4),
          lsn,
          random.unit(),
        ]);
        bench.admit(rows);
        log.batches.push(rows.filter((_, row) => bench.batch.status[row] === ACCEPTED));
        bench.blocks.append(bench.batch, 0, bench.batch.length, lsn);
      }
      const lag = random.below(12);
      const sealBeforeLsn = random.chance(0.6) ? log.batches.length - lag : undefined;
      const budgetMs = random.chance(0.3) ? 0 : 1000;
      try {
        const report = await bench.blocks.maintain({ budgetMs, sealBeforeLsn, commitLog });
        log.durableLsn = Math.max(log.durableLsn, report.durableLsn);
        expect(log.durableLsn).toBeLessThanOrEqual(log.durable);
      } catch (error) {
        if (!(error instanceof Error) || error.message !== "no log") throw error;
      }
    }
    if (random.chance(0.3)) await bench.close();
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
}

/** What a part over an image holds by itself, of a log that has kept only what was durable. */
async function verifyPrefix(
  disk: SimDisk,
  log: LateLog,
  factory: (typeof FACTORIES)[number][1],
): Promise<void> {
  const bench = await openBench(factory(), { disk, memoryBytesMax: MEMORY_BYTES });
  for (let ref = 1; ref <= 4; ref += 1) {
    const found = bench.read(ref);
    const samplesBelow = (lsn: number) =>
      log.batches
        .slice(0, lsn)
        .flat()
        .filter((row) => row[0] === ref)
        .map(([, time, value]) => ({ time, value }));
    const durable = samplesBelow(log.durable);
    expect(found).toEqual(durable.slice(0, found.length));
    expect(found.length).toBeGreaterThanOrEqual(samplesBelow(log.durableLsn).length);
  }
  expect(bench.stats.damaged).toBe(0);
}

describe.each(FACTORIES)("%s: crashes", (_, factory) => {
  test("loses nothing that it called durable, and takes the rest from the log once, at a crash before any operation", async () => {
    let survived = 0;
    for (let crashAt = 2; ; crashAt += 1) {
      const disk = simDisk({ seed: crashAt, crashAt });
      const log: Log = { batches: [], durableLsn: 0 };
      await live(disk, log, factory, makeRandom(7), 12);
      for (const survival of SURVIVALS) {
        for (let seed = 1; seed <= 4; seed += 1) {
          await verify(disk.image(survival, seed), log, factory).catch((error: unknown) => {
            throw new Error(`crash at ${crashAt}, ${survival}, image ${seed}`, { cause: error });
          });
          survived += 1;
        }
      }
      if (!disk.crashed) break;
    }
    expect(survived).toBeGreaterThan(600);
  });

  test("holds over three lives that each end in a crash, at recovery too", async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const random = makeRandom(seed);
      let disk = simDisk({ seed });
      const log: Log = { batches: [], durableLsn: 0 };
      for (let life = 0; life < 3; life += 1) {
        disk.crashAt = disk.operations + 1 + random.below(life === 0 ? 150 : 60);
        await live(disk, log, factory, random, 6);
        disk = disk.image(random.pick(SURVIVALS), random.word());
      }
      await verify(disk, log, factory).catch((error: unknown) => {
        throw new Error(`seed ${seed}`, { cause: error });
      });
    }
  });

  test.each(["sound", "failing"])(
    "holds a prefix of what the log had made durable, and all below durableLsn, on a %s disk",
    async (kind) => {
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const random = makeRandom(seed + 2e6);
        let disk = simDisk({ seed });
        const log: LateLog = { batches: [], durableLsn: 0, durable: 0 };
        for (let life = 0; life < 4; life += 1) {
          disk.crashAt = disk.operations + 1 + random.below(life === 0 ? 150 : 70);
          disk.fault = (_number, operation) => {
            const mayFail = ["write", "datasync", "syncDirectory"].includes(operation);
            return kind === "failing" && mayFail && random.chance(0.06)
              ? random.pick(["EIO", "ENOSPC"])
              : undefined;
          };
          await liveLate(disk, log, factory, random).catch((error: unknown) => {
            expect(kind).toBe("failing");
            expect(error).toHaveProperty("code");
          });
          disk.fault = undefined;
          // The log keeps all that was durable, and some of what was not.
          const isKilled = !disk.crashed && random.chance(0.5);
          const images = isKilled ? [] : SURVIVALS.map((each) => disk.image(each, random.word()));
          for (const image of images) {
            await verifyPrefix(image.image("everything"), log, factory).catch((error: unknown) => {
              throw new Error(`seed ${seed + 2e6}, life ${life}`, { cause: error });
            });
          }
          if (isKilled) continue; // The next life finds what the kernel's cache holds, and the whole log.
          log.batches.length -= random.below(log.batches.length - log.durable + 1);
          log.durable = log.batches.length;
          disk = random.pick(images);
        }
        await verify(disk.image("everything"), log, factory).catch((error: unknown) => {
          throw new Error(`seed ${seed + 2e6}`, { cause: error });
        });
      }
    },
  );

  test("holds when writes and syncs fail at random before the crash", async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const random = makeRandom(seed + 1e6);
      let disk = simDisk({ seed });
      const log: Log = { batches: [], durableLsn: 0 };
      for (let life = 0; life < 3; life += 1) {
        disk.crashAt = disk.operations + 1 + random.below(120);
        disk.fault = (_number, operation) => {
          if (!["write", "datasync", "syncDirectory"].includes(operation)) return undefined;
          if (operation === "write" && random.chance(0.1)) return 1 + random.below(20);
          return random.chance(0.08) ? random.pick(["EIO", "ENOSPC"]) : undefined;
        };
        await live(disk, log, factory, random, 6).catch((error: unknown) => {
          expect(error).toHaveProperty("code"); // Told: the life ends here, as an engine's would.
        });
        disk.fault = undefined;
        // Killed or closed, not crashed: the next life finds what the kernel's cache holds.
        if (!disk.crashed && random.chance(0.5)) continue;
        disk = disk.image(random.pick(SURVIVALS), random.word());
      }
      await verify(disk.image(random.pick(SURVIVALS)), log, factory).catch((error: unknown) => {
        throw new Error(`seed ${seed + 1e6}`, { cause: error });
      });
    }
  });
});
