import { parentPort, workerData } from "node:worker_threads";
import type { Memory, Variant, WasmMemory } from "@varve/contracts";

/** What a thread of the locks cases is told. */
export interface LockWorkerData {
  readonly wasm: WasmMemory;
  /** Where the first part's spans lie: another part takes the same ones. */
  readonly taken: readonly number[];
  readonly entry: { readonly url: string; readonly export: string };
  /** Three words: a plain counter, how many threads are inside, and one that stays zero. */
  readonly counterAt: number;
  readonly rounds: number;
}

const { wasm, taken, entry, counterAt, rounds } = workerData as LockWorkerData;

const module: Record<string, unknown> = await import(entry.url);
const factory = module[entry.export] as () => Variant<"locks">;
const locks = await factory().open({ memory: sharedMemory(wasm, taken) });
const words = new Int32Array(wasm.buffer, counterAt, 3);

/** A thread sleeps inside this often, so that another one surely gets in if it can. */
const ROUNDS_PER_SLEEP = 500;

parentPort!.once("message", () => {
  let overlaps = 0;
  for (let i = 0; i < rounds; i += 1) {
    locks.acquire();
    if (Atomics.add(words, 1, 1) !== 0) overlaps += 1;
    words[0] = words[0]! + 1; // Plain: without a lock, threads lose each other's increments.
    if (i % ROUNDS_PER_SLEEP === 0) Atomics.wait(words, 2, 0, 1);
    Atomics.sub(words, 1, 1);
    locks.release();
  }
  parentPort!.postMessage(overlaps);
});
parentPort!.postMessage("ready");

/** A memory that hands out the spans given, in their order, as they are. */
function sharedMemory(memory: WasmMemory, spans: readonly number[]): Memory {
  let next = 0;
  const { buffer } = memory;
  return {
    wasm: memory,
    bytesMax: buffer.byteLength,
    bytesTaken: 0,
    take: () => spans[next++] ?? 0,
    give: () => {},
    prefault: () => {},
    bytes: (at, length) => new Uint8Array(buffer, at, length),
    words: (at, length) => new Int32Array(buffer, at, length),
    unsigned: (at, length) => new Uint32Array(buffer, at, length),
    doubles: (at, length) => new Float64Array(buffer, at, length),
  };
}
