import { nodeDisk } from "@varve/disk/node";
import { inspectLog, type LogReport } from "@varve/wal/inspect";
import { basename } from "node:path";
import { oneLine, usageError } from "../exit.ts";
import { bytes, whole } from "../print/format.ts";
import { facts, table } from "../print/table.ts";
import { Turns } from "../store/turn.ts";
import type { Inspected } from "./inspected.ts";

/** Says what a log holds, or one of its segments. */
export async function inspectLogDir(
  dir: string,
  segment: string | undefined,
  signal: AbortSignal,
): Promise<Inspected> {
  const report = await readLog(dir, signal);
  if (segment === undefined)
    return { value: { kind: "log", ...report }, text: () => logText(report) };
  const found = report.segments.find(({ file }) => basename(file) === segment);
  if (found === undefined) throw usageError(`${dir}/${segment}: the log has no such segment`);
  const part = {
    ...report,
    segments: [found],
    damage: report.damage.filter(({ file }) => file === found.file),
  };
  return {
    value: { kind: "segment", ...found, damage: part.damage },
    text: () => segmentsText(part),
  };
}

/** Reads a log, past all damage. */
export function readLog(dir: string, signal: AbortSignal): Promise<LogReport> {
  return inspectLog({ disk: nodeDisk(), dir, pause: new Turns(signal).pause });
}

function logText(report: LogReport): string {
  return [
    facts([
      ["log", report.dir],
      ["store", report.storeId === "" ? "-" : report.storeId],
      [
        "batches",
        `${whole(report.batches)}, ${report.firstLsn} to ${report.lastLsn}, durable to ${report.durableLsn}`,
      ],
      ["records", whole(report.records)],
      ["size", bytes(report.bytes)],
      ["closed", report.isClosed ? "yes" : "no: it is open, or was not closed"],
      ["opens", report.opens ? "yes" : "no: varve repair says what can be done"],
    ]),
    "",
    segmentsText(report),
  ].join("\n");
}

function segmentsText({ checkpoints, segments, damage }: LogReport): string {
  const rows = [
    ...checkpoints.map((each) => [each.file, each.state, each] as const),
    ...segments.map((each) => [each.file, each.ends, each] as const),
  ].map(([file, state, each]) => [
    basename(file),
    state,
    whole(each.batches),
    whole(each.records),
    bytes(each.bytes),
  ]);
  const columns = ["batches", "records", "size"].map((head) => ({ head, align: "right" }) as const);
  const found = damage.map((each) => `${each.file}@${each.offset}: ${oneLine(each.message)}`);
  return [table([{ head: "file" }, { head: "state" }, ...columns], rows), ...found].join("\n");
}
