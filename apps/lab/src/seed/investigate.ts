import { keyOf } from "@varve/bytes";
import { labelSets } from "../cell/label-sets.ts";
import type { CellResult } from "../cell/result.ts";
import { fullSpec } from "../cell/spec.ts";
import type { CellEvent } from "../cell/run-cells.ts";
import type { Environment } from "../report/environment.ts";
import { CellFailure, judgeCriteria, judgePredictions, judgeTargets } from "./analysis.ts";
import { cellRunner, makeCell, type RunCells, type SeedOptions } from "./cells.ts";
import { BASELINE } from "./composition.ts";
import { sizeOpenBatch } from "./open-batch.ts";
import { shareOf, splitByPhase } from "./phases.ts";
import type { PartialSeedReport, SeedReport, SeedSettings } from "./report.ts";
import { reproduce } from "./reproduce.ts";
import { sustain } from "./sustained.ts";
import { swapEach } from "./swaps.ts";
import { addUp } from "./waterfall.ts";

/** The parts that measure, with the share of the whole time that each takes, in percent. */
export const STAGES = [
  { id: "reproduce", title: "reproduce the discrepancy", percent: 22 },
  { id: "phases", title: "split it by phase", percent: 17 },
  { id: "suspects", title: "swap every suspect alone", percent: 24 },
  { id: "waterfall", title: "add the fixes up", percent: 17 },
  { id: "sustained", title: "sustain it past block size", percent: 13 },
  { id: "open-batch", title: "size the open batch", percent: 7 },
] as const;

export type StageId = (typeof STAGES)[number]["id"];

/** Shows a stage's progress while `work` runs; the time left that an event states is that of the whole. */
export type ShowStage = (
  title: string,
  work: (onEvent: (event: CellEvent) => void) => Promise<void>,
) => Promise<void>;

/** Fewest rows of a round of new series when suspects are swapped. */
const SUSPECT_ROWS_MIN = 2000;
/** Time that such a round may take in the baseline, in seconds. */
const SUSPECT_SECONDS = 0.12;
/** What the other parts take, in times of part 1: with one process a cell, and more for each further one. */
const REST_SHARE = 1.3;
const REST_SHARE_PER_REPEAT = 0.9;
/** Rows are counted in thousands: whole batches. */
const ROWS_STEP = 1000;

type Findings = { -readonly [K in keyof PartialSeedReport]: PartialSeedReport[K] } & {
  incomplete: string[];
};

/** Processes a cell that the rest has time for, given what part 1 took. With one, its rounds are the samples. */
export function repeatsWithin(options: SeedOptions, part1Ms: number): number {
  const { repeats, budgetMs = Number.POSITIVE_INFINITY } = options;
  let fitting = repeats;
  const takes = (count: number): number =>
    part1Ms * (1 + REST_SHARE + REST_SHARE_PER_REPEAT * (count - 1));
  while (fitting > 1 && takes(fitting) > budgetMs) fitting -= 1;
  return fitting;
}

/**
 * Runs the whole investigation. What could not be measured, because a cell failed or because the signal ended it,
 * is missing from the report and named in `incomplete`.
 */
export async function investigate(
  options: SeedOptions,
  environment: Environment,
  show: ShowStage,
): Promise<PartialSeedReport> {
  const start = performance.now();
  const { rounds, rowsPerRound, quick, seed } = options;
  const found: Findings = {
    environment,
    settings: {
      ...(await inputOf(options)),
      quick,
      seed,
      rounds: rounds * options.repeats,
      rowsPerRound,
      suspectRows: rowsPerRound,
      repeats: options.repeats,
    },
    durationSeconds: 0,
    incomplete: [],
  };

  const stage = async (id: StageId, work: (run: RunCells) => Promise<void>): Promise<void> => {
    const { title } = STAGES.find((each) => each.id === id)!;
    if (options.signal?.aborted === true) {
      found.incomplete.push(`${title}: not begun`);
      return;
    }
    const results: CellResult[] = [];
    try {
      await show(title, (onEvent) => {
        const run = cellRunner(options, (event) => {
          onEvent({ ...event, leftMs: leftMs(id, event, performance.now() - start) });
        });
        return work(async (specs, given) => {
          const { repeats } = found.settings;
          const measured = await run(specs, { repeats, ...given });
          results.push(...measured);
          return measured;
        });
      });
    } catch (error) {
      if (!(error instanceof CellFailure)) throw error;
      found.incomplete.push(`${title}: ${error.message}`);
      found.leftovers = results.flatMap(({ spec, rate }) =>
        rate === null ? [] : [{ cell: spec.id, perSecond: rate }],
      );
    }
  };

  await stage("reproduce", async (run) => {
    Object.assign(found, await reproduce(run, options));
    found.settings = {
      ...found.settings,
      suspectRows: suspectRows(found, rowsPerRound),
      repeats: repeatsWithin(options, performance.now() - start),
    };
  });
  await stage("phases", async (run) => {
    found.phases = await splitByPhase(run, options, { rows: found.settings.suspectRows });
  });
  await stage("suspects", async (run) => {
    const rows = found.settings.suspectRows;
    Object.assign(found, await swapEach(run, options, { rows, phases: found.phases ?? [] }));
  });
  await stage("waterfall", async (run) => {
    const { suspects, otherFixes } = found;
    if (suspects === undefined || otherFixes === undefined)
      throw new CellFailure("needs every suspect's effect for its order");
    const rows = found.settings.suspectRows;
    found.waterfall = await addUp(run, options, { rows, alone: [...suspects, ...otherFixes] });
  });
  await stage("sustained", async (run) => {
    found.sustained = await sustain(run, options);
  });
  await stage("open-batch", async (run) => {
    found.openBatch = await sizeOpenBatch(run, options);
  });

  const { baseline, best, phases } = found;
  if (baseline !== undefined && best !== undefined) {
    found.criteria = judgeCriteria(baseline, best);
    found.targets = judgeTargets(baseline, best);
  }
  if (phases !== undefined) found.predictions = judgePredictions((each) => shareOf(each, phases));
  found.durationSeconds = (performance.now() - start) / 1000;
  return found;
}

/** True when no part is missing. */
export function isComplete(report: PartialSeedReport): report is SeedReport {
  return report.incomplete.length === 0;
}

/** Time left of the whole: this stage's own, and the later ones' at the pace of those that are done. */
function leftMs(id: StageId, event: CellEvent, elapsedMs: number): number | null {
  if (event.leftMs === null) return null;
  const at = STAGES.findIndex((each) => each.id === id);
  const before = STAGES.slice(0, at).reduce((sum, { percent }) => sum + percent, 0);
  const donePercent = before + (STAGES[at]!.percent * event.done) / event.total;
  const laterPercent = 100 - before - STAGES[at]!.percent;
  return event.leftMs + (donePercent === 0 ? 0 : (elapsedMs * laterPercent) / donePercent);
}

async function inputOf(
  options: SeedOptions,
): Promise<Pick<SeedSettings, "input" | "labelsPerSeries" | "keyBytes">> {
  const { seriesFile, rowsPerRound } = options;
  const cell = makeCell({
    id: "input",
    composition: BASELINE,
    rows: { kind: "new", rows: rowsPerRound },
    measure: {},
    options,
  });
  const sets = await labelSets(fullSpec(cell));
  const sum = (of: (set: (typeof sets)[number]) => number): number =>
    sets.reduce((total, set) => total + of(set), 0);
  return {
    input: seriesFile ?? "TSBS devops (generated)",
    labelsPerSeries: sum((set) => Object.keys(set).length) / sets.length,
    keyBytes: sum((set) => keyOf(set).length) / sets.length,
  };
}

/** A slow disk makes rounds of new series shorter, so that the whole keeps its time. */
function suspectRows(found: Findings, rowsPerRound: number): number {
  const perSecond = found.baseline?.newPerSecond ?? 0;
  const rows = Math.round((perSecond * SUSPECT_SECONDS) / ROWS_STEP) * ROWS_STEP;
  return Math.min(rowsPerRound, Math.max(SUSPECT_ROWS_MIN, rows));
}
