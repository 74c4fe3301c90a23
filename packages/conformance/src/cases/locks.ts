import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Memory } from "@varve/contracts";
import { cases } from "../case.ts";
import { holds, same } from "../expect.ts";
import type { LockWorkerData } from "../lock-worker.ts";

const ROUNDS = 20_000;
const THREADS = 2;

export const locksCases = cases("locks", {
  "counts-acquisitions": {
    title: "can be acquired again after each release, and counts how often",
    async run(trial) {
      const locks = await trial.open();
      same(locks.stats.acquisitions, 0, "acquisitions at first");
      for (let i = 1; i <= 10_000; i += 1) {
        locks.acquire();
        locks.release();
        if (i % 1000 === 0) same(locks.stats.acquisitions, i, "acquisitions");
      }
      same(locks.stats.contended, 0, "contended acquisitions of a single thread");
    },
  },
  "keeps-parts-apart": {
    title: "is a lock of its own in each part that is opened",
    async run(trial) {
      const one = await trial.open();
      const other = await trial.open();
      one.acquire();
      other.acquire();
      other.release();
      one.release();
      same(one.stats.acquisitions, 1, "acquisitions of the first");
      same(other.stats.acquisitions, 1, "acquisitions of the second");
    },
  },
  "is-seen-by-other-threads": {
    title: "says in the shared memory that it is held",
    applies: ({ traits }) => traits.excludes,
    async run(trial) {
      const { memory, words } = recording(trial.needs.memory);
      const locks = await trial.open({ memory });
      const free = words();
      locks.acquire();
      holds(words() !== free, "what other threads see changes when the lock is held");
      locks.release();
    },
  },
  "excludes-threads": {
    title: "never lets two threads in at once",
    applies: ({ traits }, { entry }) => traits.excludes && entry !== undefined,
    async run(trial) {
      const { memory, taken } = recording(trial.needs.memory);
      await trial.open({ memory });
      const counterAt = trial.needs.memory.take(12);
      const { wasm } = memory;
      const entry = trial.options.entry!;
      const data: LockWorkerData = { wasm, taken, entry, counterAt, rounds: ROUNDS };
      const workers = Array.from({ length: THREADS }, () => startWorker(data));
      try {
        await Promise.all(workers.map((worker) => once(worker, "message")));
        const done = Promise.all(workers.map((worker) => once(worker, "message")));
        for (const worker of workers) worker.postMessage("go");
        for (const [overlaps] of await done)
          same(overlaps, 0, "times that two threads were inside");
        same(memory.words(counterAt, 1)[0], THREADS * ROUNDS, "increments that were not lost");
      } finally {
        await Promise.all(workers.map((worker) => worker.terminate()));
      }
    },
  },
  "excludes-nobody": {
    title: "says nothing in the shared memory, and lets everybody in",
    applies: ({ traits }) => !traits.excludes,
    async run(trial) {
      const { memory, taken, words } = recording(trial.needs.memory);
      const locks = await trial.open({ memory });
      const free = words();
      locks.acquire();
      same(words(), free, "what other threads see");
      const other = await trial.open({ memory: again(memory, taken) });
      other.acquire(); // Would wait for ever if anybody were excluded.
      other.release();
      locks.release();
    },
  },
});

function startWorker(workerData: LockWorkerData): Worker {
  const isSource = import.meta.url.endsWith(".ts");
  const url = new URL(isSource ? "../lock-worker.ts" : "../lock-worker.js", import.meta.url);
  return new Worker(url, {
    workerData,
    execArgv: isSource ? ["--conditions=@varve/source"] : [],
  });
}

/** A memory that remembers what is taken from it, and what stands there. */
function recording(memory: Memory): { memory: Memory; taken: number[]; words: () => string } {
  const taken: number[] = [];
  const sizes: number[] = [];
  const take = (bytes: number, dirty?: boolean): number => {
    const at = memory.take(bytes, dirty);
    taken.push(at);
    sizes.push(bytes);
    return at;
  };
  const words = (): string =>
    taken.map((at, i) => Buffer.from(memory.bytes(at, sizes[i]!)).toString("hex")).join(" ");
  return { memory: derived(memory, take), taken, words };
}

/** A memory that hands out what another part took. */
function again(memory: Memory, taken: readonly number[]): Memory {
  let next = 0;
  return derived(memory, () => taken[next++] ?? 0);
}

function derived(memory: Memory, take: Memory["take"]): Memory {
  const { wasm, bytesMax, bytesTaken } = memory;
  return {
    wasm,
    bytesMax,
    bytesTaken,
    take,
    give: () => {},
    prefault: () => {},
    bytes: (at, length) => memory.bytes(at, length),
    words: (at, length) => memory.words(at, length),
    unsigned: (at, length) => memory.unsigned(at, length),
    doubles: (at, length) => memory.doubles(at, length),
  };
}
