import fs from "node:fs";
import { isMainThread, threadId } from "node:worker_threads";

/**
 * Loaded before everything else by NODE_OPTIONS, in workers, too: makes the first worker of a process fail as WORKER_FAULT says, at
 * one of its writes and syncs: `throw 7`, `memory 7`, `busy 7`; or makes its first syncs slow: `slow 2000`, in milliseconds.
 */
const [fault = "", number = "0"] = (process.env["WORKER_FAULT"] ?? "").split(" ");
const SLOW_SYNCS = 3;

if (!isMainThread && threadId === 1) {
  let operations = 0;
  let syncs = 0;
  const { writeSync, fdatasyncSync } = fs;
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  fs.writeSync = ((...args: Parameters<typeof writeSync>) => {
    operate();
    return writeSync(...args);
  }) as typeof writeSync;
  fs.fdatasyncSync = (fd) => {
    operate();
    syncs += 1;
    if (fault === "slow" && syncs <= SLOW_SYNCS) Atomics.wait(asleep, 0, 0, Number(number));
    fdatasyncSync(fd);
  };
  const operate = (): void => {
    operations += 1;
    if (operations !== Number(number)) return;
    if (fault === "throw") throwAtNextTurn();
    if (fault === "memory") fillHeap();
    if (fault === "busy") for (;;);
  };
}

/** Where the worker's loop looks at the clock, which nobody expects to fail. */
function throwAtNextTurn(): void {
  performance.now = () => {
    throw new TypeError("as planned");
  };
}

function fillHeap(): never {
  // A few large arrays: the collector is soon done with them, and leaves Node the time to end the worker alone.
  const hoard: unknown[] = [];
  for (;;) hoard.push(Array.from({ length: 10_000 }).fill(1.5));
}
