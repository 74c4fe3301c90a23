import { Inspection, type InspectLogOptions } from "./internal/inspection.ts";
import type { LogReport } from "./internal/log-report.ts";

export type { InspectLogOptions } from "./internal/inspection.ts";
export type {
  CheckpointReport,
  LogDamage,
  LogReport,
  LogTally,
  RecordCounts,
  SegmentReport,
} from "./internal/log-report.ts";
export { planLogRepair, type LogRepairChoice, type LogRepairPlan } from "./internal/plan-repair.ts";
export { repairLog, type LogRepair, type RepairLogOptions } from "./internal/repair.ts";

/**
 * Reads a log from its checkpoint on, past all damage, and says what it holds and what is wrong with it, by the same
 * judgement as recovery. Changes nothing, and needs no lock: beside a live writer the end may look torn, and a
 * file may go meanwhile (DISK, ENOENT: try again). A directory that does not exist is an empty log.
 *
 * Throws UNSUPPORTED_VERSION for a log of a newer version.
 */
export function inspectLog(options: InspectLogOptions): Promise<LogReport> {
  return new Inspection(options).run();
}
