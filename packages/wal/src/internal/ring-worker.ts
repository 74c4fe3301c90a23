import { parentPort, workerData } from "node:worker_threads";
import { nodeDisk } from "@varve/disk/node";
import {
  AWAKE,
  DOZING,
  FAILED,
  FULL,
  IDLE,
  NOTIFY,
  Ring,
  SIGNAL,
  SLEEP,
  STATE,
  WAKE,
  type RingPlace,
} from "./ring.ts";
import { RingWriter, type RingWriterOptions } from "./ring-writer.ts";

/** What the worker of an asynchronous log is told. */
export interface RingWorkerData extends RingWriterOptions {
  readonly memory: WebAssembly.Memory;
  readonly place: RingPlace;
  readonly dir: string;
  readonly storeId: Uint8Array;
  readonly segmentBytesMax: number;
}

/** The longest sleep, in ms: whatever goes wrong with a wake-up costs no more. */
const SLEEP_MS_MAX = 1000;

const data = workerData as RingWorkerData;
const ring = new Ring(data.memory.buffer, data.place);
const { control } = ring;
const writer = new RingWriter(
  ring,
  { disk: nodeDisk(), dir: data.dir, storeId: data.storeId, segmentBytesMax: data.segmentBytesMax },
  data,
);

try {
  notify(true);
  while (!writer.isEnded) {
    const delayMs = writer.step(performance.now());
    notify(false);
    if (!writer.isEnded) sleep(delayMs);
  }
} catch (error) {
  ring.tell(error);
  Atomics.store(control, STATE, FAILED);
  writer.abandon();
} finally {
  Atomics.add(control, SIGNAL, 1);
  Atomics.notify(control, SIGNAL);
  notify(true);
}

function sleep(delayMs: number): void {
  const seen = Atomics.load(control, WAKE);
  const isIdle = delayMs === Number.POSITIVE_INFINITY;
  Atomics.store(control, SLEEP, isIdle ? IDLE : DOZING);
  // Whoever comes after this look sees the sleeper and wakes it. On a full disk nothing is urgent.
  const isFull = Atomics.load(control, STATE) === FULL;
  if (isFull || (!writer.isUrgent && !(isIdle && !writer.isEmpty))) {
    Atomics.wait(control, WAKE, seen, Math.min(delayMs, SLEEP_MS_MAX));
  }
  Atomics.store(control, SLEEP, AWAKE);
}

/** Tells the event loop of the other end, if it waits or must know. */
function notify(always: boolean): void {
  if (Atomics.exchange(control, NOTIFY, 0) !== 0 || always) parentPort?.postMessage(0);
}
