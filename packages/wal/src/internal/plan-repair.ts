import type { Lsn } from "@varve/contracts";
import { checkpointName, segmentName } from "./layout.ts";
import type { LogDamage, LogReport } from "./log-report.ts";

/** What a repair keeps, in one of the two ways. */
export interface LogRepairChoice {
  readonly mode: "pointInTime" | "salvage";
  /** Last batch that stays. */
  readonly lastLsn: Lsn;
  /** Whole batches and records that stay, the checkpoint's included. */
  readonly batches: number;
  readonly records: number;
  /** Whole batches that `inspectLog` could read and that go all the same. */
  readonly batchesDropped: number;
  /** What is done, as sentences. */
  readonly steps: readonly string[];
}

/** The two ways to repair a log: `pointInTime` ends it before the damage, `salvage` skips the damage. */
export interface LogRepairPlan {
  /** Without a repair, recovery in its default mode refuses the log. */
  readonly isNeeded: boolean;
  readonly pointInTime: LogRepairChoice;
  readonly salvage: LogRepairChoice;
}

/** Says what repairs would keep, from a report alone: nothing is read or changed. */
export function planLogRepair(report: LogReport): LogRepairPlan {
  const { beforeDamage, batches } = report;
  return {
    isNeeded: !report.opens,
    pointInTime: {
      mode: "pointInTime",
      lastLsn: beforeDamage.lastLsn,
      batches: beforeDamage.batches,
      records: beforeDamage.records,
      batchesDropped: batches - beforeDamage.batches,
      steps: [...setAsideFirst(report), ...pointInTimeSteps(report), ...tailSteps(report)],
    },
    salvage: {
      mode: "salvage",
      lastLsn: report.lastLsn,
      batches,
      records: report.records,
      batchesDropped: 0,
      steps: [...setAsideFirst(report), ...salvageSteps(report), ...tailSteps(report)],
    },
  };
}

/**
 * The segment up to which a salvage rewrites the log as one checkpoint, so that later segments can stay as they are:
 * the last one with damage; -1 if nothing has to be rewritten.
 */
export function lastRewritten(report: LogReport): number {
  const after = report.segments.filter((segment) => segment.ends !== "covered");
  const refused = report.damage.filter((damage) => !damage.isMendedAtOpen);
  // Where only the segment after a sound checkpoint is missing, a new one is all that it takes.
  const isOnlyEndMissing =
    after.length === 0 && report.checkpoints.some((each) => each.state === "used");
  if (refused.length === 0 || isOnlyEndMissing) return -1;
  return Math.max(...refused.map((damage) => damage.segment));
}

function setAsideFirst(report: LogReport): string[] {
  return report.checkpoints
    .filter((checkpoint) => checkpoint.state === "damaged")
    .map(({ segment }) => `${checkpointName(segment)} is damaged: it is kept aside.`)
    .concat(
      report.segments
        .filter((segment) => segment.ends === "foreign")
        .map(({ segment }) => `${segmentName(segment)} is another store's: it is kept aside.`),
    );
}

function pointInTimeSteps(report: LogReport): string[] {
  const first = report.damage.find((damage) => !damage.isMendedAtOpen);
  if (first === undefined) return [];
  const later = report.segments
    .filter((segment) => segment.segment > first.segment && segment.ends !== "covered")
    .map((segment) => segmentName(segment.segment));
  const isCut = report.segments.some((each) => each.file === first.file && each.ends !== "foreign");
  const steps = isCut ? [cutStep(first)] : [];
  if (later.length > 0) steps.push(`Kept aside, because they lie behind it: ${later.join(", ")}.`);
  return steps;
}

function cutStep(damage: LogDamage): string {
  return `${damage.message}: the log is cut before it, after a copy.`;
}

function salvageSteps(report: LogReport): string[] {
  const segment = lastRewritten(report);
  if (segment < 0) return [];
  const aside = report.segments
    .filter((each) => each.segment <= segment)
    .map((each) => segmentName(each.segment));
  const which = aside.length > 0 ? ` Kept aside: ${aside.join(", ")}.` : "";
  return [
    `The whole batches up to segment ${segmentName(segment)} are written as a checkpoint, ` +
      `under their numbers; those lost become empty batches.${which}`,
  ];
}

function tailSteps(report: LogReport): string[] {
  const files = new Set(report.segments.map((segment) => segment.file));
  const isTorn = report.damage.some((damage) => damage.isMendedAtOpen && files.has(damage.file));
  return isTorn ? ["The torn tail is cut off, after a copy."] : [];
}
