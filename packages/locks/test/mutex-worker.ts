import type { Memory } from "@varve/contracts";
import { parentPort, workerData } from "node:worker_threads";
import { mutexLocks } from "../src/mutex.ts";

/** Adds to a plain counter in the shared memory: without a lock, threads lose each other's increments. */
const { wasm, lockAt, counterAt, rounds } = workerData as {
  wasm: WebAssembly.Memory;
  lockAt: number;
  counterAt: number;
  rounds: number;
};
const words = (at: number, length: number): Int32Array => new Int32Array(wasm.buffer, at, length);
const memory = { wasm, words } as unknown as Memory; // A lock needs no more of it.
const locks = await mutexLocks({ at: lockAt, waitMsMax: 60_000 }).open({ memory });
const counter = words(counterAt, 1);

parentPort!.on("message", () => {
  for (let i = 0; i < rounds; i += 1) {
    locks.acquire();
    counter[0] = counter[0]! + 1;
    locks.release();
  }
  parentPort!.postMessage(locks.stats);
  parentPort!.close();
});
parentPort!.postMessage("ready");
