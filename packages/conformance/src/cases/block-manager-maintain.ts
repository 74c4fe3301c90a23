import { isStorageError } from "@varve/contracts";
import { cases } from "../case.ts";
import { attempt, holds, same } from "../expect.ts";
import { AWKWARD_BITS } from "../rows.ts";
import {
  BlockModel,
  openStore,
  persist,
  read,
  rowOf,
  sameRows,
  write,
  writeAll,
  type Row,
} from "./block-steps.ts";
import { damage, filesBelow } from "./wal-steps.ts";

const SERIES = 20;

/** Samples of many series, enough to fill chunks of any codec. */
function wideRows(batch: number, series = SERIES): Row[] {
  return Array.from({ length: series * 40 }, (_, i) => {
    const at = batch * 40 + Math.floor(i / series);
    const [low, high] = AWKWARD_BITS[at % AWKWARD_BITS.length]!;
    return { ref: 1 + (i % series), time: at * 1000, low, high };
  });
}

const BATCHES = 12;

export const blockMaintainCases = cases("block-manager", {
  "reads-back-what-it-persisted": {
    title: "reads every sample up to durableLsn back, bit by bit, when reopened",
    async run(trial) {
      const store = await openStore(trial);
      const model = new BlockModel();
      for (let batch = 0; batch < BATCHES; batch += 1) {
        writeAll(store, batch + 1, wideRows(batch));
        model.write(wideRows(batch));
      }
      const report = await persist(store.blocks, BATCHES);
      holds(
        report.durableLsn <= BATCHES,
        `durableLsn is a batch applied, got ${report.durableLsn}`,
      );
      model.check(store, "after maintain");
      await trial.close(store.blocks);
      const again = await openStore(trial);
      model.check(again, "reopened");
      same(again.blocks.refMax, SERIES, "refMax");
    },
  },
  "goes-on-when-reopened": {
    title: "decides rows by what sealed/ holds, so that a replayed log changes nothing",
    async run(trial) {
      const model = new BlockModel();
      for (let life = 0; life < 4; life += 1) {
        const store = await openStore(trial);
        for (let batch = 0; batch < life * 3; batch += 1) write(store, batch + 1, wideRows(batch));
        model.check(store, `life ${life}, after replay`);
        for (let batch = life * 3; batch < life * 3 + 3; batch += 1) {
          writeAll(store, batch + 1, wideRows(batch));
          model.write(wideRows(batch));
        }
        if (life % 2 === 0) await persist(store.blocks, life * 3 + 3);
        else await store.blocks.maintain({ budgetMs: 1 });
        await trial.close(store.blocks);
      }
    },
  },
  "seals-what-keeps-the-log": {
    title: "seals and persists chunks of batches below sealBeforeLsn, so that the log can be cut",
    async run(trial) {
      const store = await openStore(trial);
      for (let ref = 1; ref <= 50; ref += 1) writeAll(store, ref, [rowOf(ref, 5, ref)]);
      const report = await persist(store.blocks, 30);
      holds(report.durableLsn >= 30, `batches up to 30 are durable, got ${report.durableLsn}`);
      for (let ref = 1; ref <= 50; ref += 1)
        sameRows(read(store, ref), [rowOf(ref, 5, ref)], `series ${ref}`);
      writeAll(store, 51, [rowOf(1, 6, 1)]);
      sameRows(read(store, 1), [rowOf(1, 5, 1), rowOf(1, 6, 1)], "series 1");
    },
  },
  "maintains-in-slices": {
    title: "gets done in many calls with no budget, and changes no sample",
    async run(trial) {
      const store = await openStore(trial);
      const model = new BlockModel();
      let durable = 0;
      for (let batch = 0; batch < BATCHES; batch += 1) {
        writeAll(store, batch + 1, wideRows(batch));
        model.write(wideRows(batch));
        for (let i = 0; i < 3; i += 1) {
          const report = await store.blocks.maintain({ budgetMs: 0, sealBeforeLsn: batch });
          holds(
            report.durableLsn >= durable,
            `durableLsn never falls: ${report.durableLsn} after ${durable}`,
          );
          durable = report.durableLsn;
        }
        model.check(store, `after batch ${batch + 1}`);
      }
    },
  },
  "releases-what-it-persisted": {
    title: "releases the memory of what it persisted",
    async run(trial) {
      const store = await openStore(trial);
      const model = new BlockModel();
      for (let batch = 0; batch < BATCHES; batch += 1) {
        writeAll(store, batch + 1, wideRows(batch));
        model.write(wideRows(batch));
      }
      const before = store.allocator.stats.liveBytes;
      await persist(store.blocks, BATCHES);
      await store.blocks.maintain({ budgetMs: 1000 });
      const after = store.allocator.stats.liveBytes;
      const isWritten = store.blocks.stats.persistedInAppend > 0;
      holds(after < before || isWritten, `fewer than ${before} bytes are live, got ${after}`);
      model.check(store, "after maintain");
    },
  },
  "writes-in-append": {
    title: "writes chunks while append runs, and counts them",
    disks: ["sim"],
    applies: ({ traits }) => traits.persistsInAppend,
    async run(trial) {
      const store = await openStore(trial);
      const before = trial.sim.count("write");
      // Some parts write only when a queue of thousands of chunks is full.
      for (let i = 0; i < 1500 && trial.sim.count("write") === before; i += 1) {
        writeAll(
          store,
          i + 1,
          Array.from({ length: 1000 }, (_, at) =>
            rowOf(1 + (at % 50), i * 20 + Math.floor(at / 50), 1),
          ),
        );
      }
      holds(trial.sim.count("write") > before, "append writes");
      holds(store.blocks.stats.persistedInAppend > 0, "chunks written in append are counted");
      holds(store.blocks.stats.writes > 0, "writes are counted");
    },
  },
  "writes-nothing-in-append": {
    title: "leaves the disk alone in admit, append, withdraw and pin",
    disks: ["sim"],
    applies: ({ traits }) => !traits.persistsInAppend,
    async run(trial) {
      const store = await openStore(trial);
      for (let batch = 0; batch < BATCHES; batch += 1) {
        const before = trial.sim.operations;
        writeAll(store, batch + 1, wideRows(batch));
        store.blocks.pin(Uint32Array.of(1), 1)[Symbol.dispose]();
        same(trial.sim.operations, before, `disk operations after batch ${batch + 1}`);
      }
      same(store.blocks.stats.persistedInAppend, 0, "chunks counted as written in append");
    },
  },
  "keeps-data-when-writing-fails": {
    title: "throws when it cannot write, keeps the data, and claims nothing",
    disks: ["sim"],
    async run(trial) {
      for (const errno of ["EIO", "ENOSPC"]) {
        for (const operation of ["write", "datasync", "open", "rename"]) {
          const disk = trial.sim.image("nothing");
          const store = await openStore(trial, { disk });
          const model = new BlockModel();
          for (let batch = 0; batch < 4; batch += 1) {
            writeAll(store, batch + 1, wideRows(batch));
            model.write(wideRows(batch));
          }
          let isHit = false;
          disk.fault = (_number, kind) => {
            if (kind !== operation) return undefined;
            isHit = true;
            return errno;
          };
          const failure = await attempt(() => persist(store.blocks, 4));
          disk.fault = undefined;
          const what = `${errno} at ${operation}`;
          if (isHit) {
            holds(failure !== undefined, `${what}: maintain throws`);
            holds(
              isStorageError(failure),
              `${what}: the failure is typed, got ${String(failure.stack)}`,
            );
          }
          model.check(store, what);
          if (errno === "ENOSPC" && operation === "write") await persist(store.blocks, 4);
          await trial.kill(store.blocks);
          const again = await openStore(trial, { disk: disk.image("nothing") });
          for (let batch = 0; batch < 4; batch += 1) write(again, batch + 1, wideRows(batch));
          model.check(again, `${what}, reopened and replayed`);
          await trial.kill(again.blocks);
        }
      }
    },
  },
  "never-reads-damaged-samples": {
    title: "answers damage with BLOCK_CORRUPT or with fewer samples, never with wrong ones",
    disks: ["sim"],
    async run(trial) {
      const store = await openStore(trial);
      const model = new BlockModel();
      for (let batch = 0; batch < 2; batch += 1) {
        writeAll(store, batch + 1, wideRows(batch, 5));
        model.write(wideRows(batch, 5));
      }
      await persist(store.blocks, 2);
      await trial.close(store.blocks);
      const files = filesBelow(trial.sim, trial.needs.dir);
      holds(files.length > 0, "sealed/ has a file");
      for (let i = 0; i < 150; i += 1) {
        const disk = trial.sim.image("everything");
        const path = trial.random.pick(files);
        const fd = disk.open(path, "read");
        const size = disk.size(fd);
        disk.close(fd);
        if (size === 0) continue;
        const at = trial.random.below(size);
        damage(disk, path, at, 1 << trial.random.below(8));
        let again: Awaited<ReturnType<typeof openStore>> | undefined;
        const failure = await attempt(async () => {
          again = await openStore(trial, { disk });
          for (const [ref, rows] of model.series) {
            const known = new Set(rows.map(({ time, low, high }) => `${time} ${low} ${high}`));
            for (const { time, low, high } of read(again, ref)) {
              holds(
                known.has(`${time} ${low} ${high}`),
                `byte ${at} of ${path}: sample at ${time} was written`,
              );
            }
          }
        });
        if (failure !== undefined && !isStorageError(failure)) throw failure;
        if (again !== undefined) await trial.kill(again.blocks);
      }
    },
  },
});
