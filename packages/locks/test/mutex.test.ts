import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { reserveMemory } from "@varve/bytes";
import { certify, checked } from "@varve/conformance";
import { AssertionError, isStorageError, type LockStats } from "@varve/contracts";
import { describe, expect, test } from "vitest";
import { mutexLocks } from "../src/mutex.ts";

/** Where the kit's threads find the factory. */
const entry = { url: new URL("../src/mutex.ts", import.meta.url).href, export: "mutexLocks" };
certify(mutexLocks(), { test, options: { entry } });
certify(checked(mutexLocks()), { test, options: { entry } });

const ROUNDS = 100_000;

function startWorker(workerData: object): Worker {
  const url = new URL("mutex-worker.ts", import.meta.url);
  return new Worker(url, { workerData, execArgv: ["--conditions=@varve/source"] });
}

describe("mutex", () => {
  test("keeps two threads apart: no increment of a plain counter is lost", async () => {
    const memory = reserveMemory({ bytesMax: 2 ** 16 });
    const lockAt = memory.take(64);
    const counterAt = memory.take(64);
    const shared = { wasm: memory.wasm, lockAt, counterAt, rounds: ROUNDS };
    const workers = [startWorker(shared), startWorker(shared)];
    await Promise.all(workers.map((worker) => once(worker, "message"))); // Both are ready.
    const done = Promise.all(workers.map((worker) => once(worker, "message")));
    for (const worker of workers) worker.postMessage("go");
    const answers: LockStats[] = (await done).map(([stats]) => stats);
    expect(memory.words(counterAt, 1)[0]).toBe(2 * ROUNDS);
    expect(memory.words(lockAt, 1)[0]).toBe(0);
    for (const { acquisitions, contended } of answers) {
      expect(acquisitions).toBe(ROUNDS);
      expect(contended).toBeLessThanOrEqual(ROUNDS);
    }
  });

  test("lets a sleeping thread go on when the lock is released", async () => {
    const memory = reserveMemory({ bytesMax: 2 ** 16 });
    const lockAt = memory.take(64);
    const counterAt = memory.take(64);
    const locks = await mutexLocks({ at: lockAt }).open({ memory });
    locks.acquire();
    const worker = startWorker({ wasm: memory.wasm, lockAt, counterAt, rounds: 1 });
    await once(worker, "message");
    const done = once(worker, "message");
    worker.postMessage("go");
    const word = memory.words(lockAt, 1);
    while (Atomics.load(word, 0) !== 2) Atomics.wait(word, 0, 1, 10); // Until it says that it sleeps.
    expect(memory.words(counterAt, 1)[0]).toBe(0);
    locks.release();
    expect((await done)[0]).toEqual({ acquisitions: 1, contended: 1 });
    expect(memory.words(counterAt, 1)[0]).toBe(1);
    expect(Atomics.load(word, 0)).toBe(0);
  });

  test("throws LOCKED, naming the bound, when the holder keeps it for too long", async () => {
    const memory = reserveMemory({ bytesMax: 2 ** 16 });
    const locks = await mutexLocks({ waitMsMax: 5 }).open({ memory });
    locks.acquire();
    const refusal = (() => {
      try {
        locks.acquire();
      } catch (error) {
        return error;
      }
      return undefined;
    })();
    expect(isStorageError(refusal, "LOCKED")).toBe(true);
    expect(refusal).toMatchObject({ facts: { waitMsMax: 5 } });
    expect(locks.stats).toEqual({ acquisitions: 1, contended: 1 });
    locks.release();
    locks.acquire();
    expect(locks.stats).toEqual({ acquisitions: 2, contended: 1 });
  });

  test("asserts when a lock that is free is released", async () => {
    const locks = await mutexLocks().open({ memory: reserveMemory({ bytesMax: 2 ** 16 }) });
    expect(() => locks.release()).toThrow(AssertionError);
    locks.acquire();
    locks.release();
    expect(() => locks.release()).toThrow(AssertionError);
    locks.acquire();
  });

  test("throws LIMIT when the memory has no room for its word", () => {
    const memory = reserveMemory({ bytesMax: 2 ** 16 });
    while (memory.take(64) !== 0);
    expect(() => mutexLocks().open({ memory })).toThrow("memoryBytesMax");
  });
});
