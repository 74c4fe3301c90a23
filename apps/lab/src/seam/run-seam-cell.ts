import { nodeDisk } from "@varve/disk/node";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { median } from "simple-statistics";
import { spreadOf } from "../stats/spread.ts";
import { appendRecords, makeRecord, openLog, segmentHash } from "./open-log.ts";
import { emptySeamResult, type SeamResult, type SeamSpec } from "./spec.ts";
import { type Call, callDisk, callInlined, inlinedDisk, RecordingDisk } from "./ways.ts";

/** Seconds of one round, and the hash of the segment that it left. */
interface Round {
  readonly seconds: number;
  readonly bytes: string;
}

/** Runs one cell in this process: its rounds, of which the median counts. Throws once the signal is aborted. */
export async function runSeamCell(
  spec: SeamSpec,
  options: { readonly dir: string; readonly signal: AbortSignal },
): Promise<SeamResult> {
  const { appends, path, rounds, warmupRounds } = spec;
  const { dir, signal } = options;
  mkdirSync(dir, { recursive: true });
  const run = path === "appends" ? timeAppends : await callsOf(spec, join(dir, "recorded"));
  const rates: number[] = [];
  const hashes = new Set<string>();
  for (let round = 0; round < warmupRounds + rounds; round += 1) {
    signal.throwIfAborted();
    const { seconds, bytes } = await run(spec, join(dir, `round-${round}`));
    hashes.add(bytes);
    if (round >= warmupRounds) rates.push(appends / seconds);
  }
  if (hashes.size !== 1) return emptySeamResult(spec, "failed", ["rounds left different bytes"]);
  const samples = [median(rates)];
  const [bytes] = hashes;
  return { spec, status: "ok", reasons: [], samples, rate: spreadOf(samples), bytes: bytes! };
}

/** Times appends up to the end of the commit. The segment is there when the clock starts. */
async function timeAppends(spec: SeamSpec, dir: string): Promise<Round> {
  const disk = spec.way === "inlined" ? inlinedDisk() : nodeDisk();
  const record = makeRecord(spec.recordBytes);
  const log = await openLog(spec.log, dir, disk);
  appendRecords(log, record, 0, 1);
  await log.commit();
  const start = performance.now();
  appendRecords(log, record, 1, spec.appends + 1);
  await log.commit();
  const seconds = (performance.now() - start) / 1000;
  await log[Symbol.asyncDispose]();
  return { seconds, bytes: segmentHash(dir) };
}

/** Learns which calls a round of appends makes, and answers what times them alone. */
async function callsOf(
  spec: SeamSpec,
  dir: string,
): Promise<(spec: SeamSpec, dir: string) => Promise<Round>> {
  const recording = new RecordingDisk();
  const record = makeRecord(spec.recordBytes);
  const log = await openLog(spec.log, dir, recording);
  appendRecords(log, record, 0, 1);
  await log.commit();
  const before = recording.take();
  appendRecords(log, record, 1, spec.appends + 1);
  await log.commit();
  const timed = recording.take();
  await log[Symbol.asyncDispose]();
  const after = recording.take();
  return ({ way }, at) =>
    Promise.resolve(timeCalls(way === "inlined", at, { before, timed, after }));
}

function timeCalls(
  isInlined: boolean,
  path: string,
  calls: Readonly<Record<"before" | "timed" | "after", readonly Call[]>>,
): Round {
  const disk = nodeDisk();
  const fd = disk.open(path, "create");
  callDisk(disk, fd, calls.before);
  const start = performance.now();
  if (isInlined) callInlined(fd, calls.timed);
  else callDisk(disk, fd, calls.timed);
  const seconds = (performance.now() - start) / 1000;
  callDisk(disk, fd, calls.after);
  disk.close(fd);
  return { seconds, bytes: createHash("sha256").update(readFileSync(path)).digest("hex") };
}
