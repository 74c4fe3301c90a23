import { makeRandom } from "@varve/bytes";
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { quantile } from "../spin.ts";
import type { Figures, TurnContext, Work } from "../work.ts";

/** Bytes of a key, and of a line that a processor's caches hold. */
const KEY_BYTES = 188;
const LINE_BYTES = 64;
/** Bytes that one copy moves, and copies, of which the median counts. */
const COPY_BYTES = 64 * 2 ** 20;
const COPIES = 9;
const PROBES = 2_000_000;
/** Bytes of one write: those of the log's groups. */
const WRITE_BYTES = 256 * 1024;
const CLOCK_READS = 100_000;

/** What no code on this machine goes below. */
export const limits: Work = {
  about:
    "copies between two large arrays, as the time of 188 bytes; loads from random lines of a table far larger than the caches, each " +
    "from where the last one says; a file written in pieces of 256 KiB, to the page cache, and with one sync at its end",
  durability: "as each row says",
  tasks: () => [{ id: "machine" }],
  rows: () => [
    { what: "copying a key of 188 bytes", unit: "ns", task: "machine", figure: "copyNs" },
    { what: "a cache miss: one probe", unit: "ns", task: "machine", figure: "probeNs" },
    { what: "reading the clock", unit: "ns", task: "machine", figure: "clockNs" },
    { what: "file written, not synced", unit: "MB/s", task: "machine", figure: "written" },
    { what: "file written and synced", unit: "MB/s", task: "machine", figure: "synced" },
  ],
  measure: (_task, context) => Promise.resolve(measure(context)),
};

function measure({ sizes, dir }: TurnContext): Figures {
  const { probeBytes, diskBytes, seed } = sizes;
  return {
    copyNs: copyNs(Math.min(COPY_BYTES, probeBytes)),
    probeNs: probeNs(probeBytes, seed),
    clockNs: clockNs(),
    ...diskRates(join(dir, "file"), diskBytes),
  };
}

function copyNs(bytes: number): number {
  const from = new Uint8Array(bytes).fill(1);
  const into = new Uint8Array(bytes).fill(2); // Filled: their pages are there.
  const times = new Float64Array(COPIES);
  for (let i = 0; i < COPIES; i += 1) {
    const start = performance.now();
    into.set(from);
    times[i] = performance.now() - start;
  }
  if (into[bytes - 1] !== 1) throw new Error("nothing was copied");
  return (quantile(times.sort(), 0.5) * 1e6 * KEY_BYTES) / bytes;
}

/** Goes once around a ring through random lines. */
function probeNs(bytes: number, seed: number): number {
  const words = LINE_BYTES / Int32Array.BYTES_PER_ELEMENT;
  const lines = bytes / LINE_BYTES;
  const next = new Int32Array(bytes / Int32Array.BYTES_PER_ELEMENT);
  const order = Int32Array.from({ length: lines }, (_, i) => i);
  const random = makeRandom(seed);
  for (let i = lines - 1; i > 0; i -= 1) {
    const other = random.below(i); // Below i, and never i: one ring through all.
    const line = order[i]!;
    order[i] = order[other]!;
    order[other] = line;
  }
  for (let i = 0; i < lines; i += 1) next[i * words] = order[i]! * words;
  let [at, steps] = [0, 0];
  const start = performance.now();
  const probes = Math.min(PROBES, lines);
  for (; steps < probes; steps += 1) at = next[at]!;
  const ns = ((performance.now() - start) * 1e6) / steps;
  if (probes === lines && at !== 0) throw new Error("the ring does not go through all lines");
  return ns;
}

function clockNs(): number {
  const start = performance.now();
  for (let i = 0; i < CLOCK_READS; i += 1) performance.now();
  return ((performance.now() - start) * 1e6) / CLOCK_READS;
}

/** Megabytes a second until all is written, and until it is synced. */
function diskRates(path: string, bytes: number): Figures {
  const piece = new Uint8Array(WRITE_BYTES).fill(7);
  const fd = openSync(path, "wx");
  const start = performance.now();
  for (let at = 0; at < bytes; at += WRITE_BYTES) writeSync(fd, piece, 0, WRITE_BYTES, at);
  const writtenMs = performance.now() - start;
  fdatasyncSync(fd);
  const syncedMs = performance.now() - start;
  closeSync(fd);
  return { written: bytes / writtenMs / 1000, synced: bytes / syncedMs / 1000 };
}
