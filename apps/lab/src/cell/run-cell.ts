import { isStorageError, type Plan } from "@varve/contracts";
import { checkPlan, planNames, type Engine, type TimingReport } from "@varve/engine";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CATALOG, type Catalog } from "../catalog.ts";
import { planOf } from "../plan-of.ts";
import { spreadOf } from "../stats/spread.ts";
import { describe } from "./describe.ts";
import { expectationOf, judge, readStore } from "./gate.ts";
import { labelSets } from "./label-sets.ts";
import { latencyOf, noiseFloor } from "./latency.ts";
import { emptyResult } from "./merge.ts";
import type {
  CellResult,
  CellRound,
  Durability,
  GateReport,
  Latency,
  NoiseFloor,
} from "./result.ts";
import { allocationRound, latencyRound, rateRound, rowsPerTurn, type RateRound } from "./round.ts";
import { makeRows, type CellInput } from "./rows.ts";
import { fullSpec, type CellSpec, type FullCellSpec, type PlanNames } from "./spec.ts";
import { StoreMaker } from "./store.ts";
import { ThrowawayDisk } from "./throwaway-disk.ts";
import { meanTiming } from "./timing.ts";

export interface RunCellOptions {
  /** Directory of this cell's stores, made when missing and removed at the end. Default: a new temporary one. */
  readonly dir?: string;
  /** Which repeat this is: noted in the rounds. Default 0. */
  readonly repeat?: number;
  /** Ends the cell at the next turn of the event loop; the reason is thrown. */
  readonly signal?: AbortSignal;
  /** Variants by name. Default: all of ours. */
  readonly catalog?: Catalog;
}

/**
 * Runs one cell in this process: makes the data, warms up, measures rates, then latencies and allocations if asked
 * for, and reads the last rated store back. What goes wrong is the result's status and reasons; only a
 * misspelled plan and an abort are thrown.
 */
export async function runCell(spec: CellSpec, options: RunCellOptions = {}): Promise<CellResult> {
  const { repeat = 0, signal, catalog = CATALOG } = options;
  const full = fullSpec(spec);
  const plan = planOf(full.plan, catalog);
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), "varve-lab-")));
  const names = planNames(plan) as PlanNames;
  try {
    checkPlan(plan);
    await mkdir(dir, { recursive: true });
    const run = new CellRun(full, () => planOf(full.plan, catalog), dir, signal);
    return await run.result(spec, names, plan, repeat);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    const status = isStorageError(error, "PLAN") ? "n/a" : "failed";
    return { ...emptyResult(full, status, [describe(error)], 1), spec, plan: names };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

class CellRun {
  readonly #spec: FullCellSpec;
  readonly #stores: StoreMaker;
  readonly #signal: AbortSignal | undefined;

  constructor(spec: FullCellSpec, makePlan: () => Plan, dir: string, signal?: AbortSignal) {
    this.#spec = spec;
    this.#stores = new StoreMaker(spec, makePlan, dir);
    this.#signal = signal;
  }

  async result(spec: CellSpec, names: PlanNames, plan: Plan, repeat: number): Promise<CellResult> {
    const { measure } = this.#spec;
    const input = makeRows(this.#spec, await labelSets(this.#spec));
    const inputRssBytes = process.memoryUsage.rss();
    for (let i = 0; i < measure.warmupRounds; i += 1) await this.#rate(input, plan, false);
    const rates: RateRound[] = [];
    let gated: Gated | null = null;
    for (let i = 0; i < measure.rounds; i += 1) {
      const isLast = measure.readBack && i === measure.rounds - 1;
      const { rate, gate } = await this.#rate(input, plan, isLast);
      rates.push(rate);
      gated = gate;
    }
    const { latency, floor } = measure.latency
      ? await this.#latency(input)
      : { latency: null, floor: null };
    const heapBytesPerRow = measure.allocations
      ? await this.#fresh(false, (engine) => allocationRound(this.#context(input), engine))
      : null;
    const reasons = [
      ...new Set(rates.flatMap(({ problems }) => problems)),
      ...(gated?.reasons ?? []),
    ];
    const rounds = rates.map(({ round }): CellRound => ({ ...round, repeat }));
    const last = rates.at(-1);
    return {
      ...emptyResult(this.#spec, reasons.length === 0 ? "ok" : "failed", reasons, 1),
      spec,
      plan: names,
      repeats: { wanted: 1, finished: 1 },
      rounds,
      rate: rounds.length === 0 ? null : spreadOf(rounds.map((each) => each.rowsPerSecond)),
      acceptedRate:
        rounds.length === 0 ? null : spreadOf(rounds.map((each) => each.acceptedPerSecond)),
      samples: rounds.map((each) => each.rowsPerSecond),
      latency,
      noiseFloor: floor,
      timing: meanTiming(
        rates.map((each) => each.timing).filter((each): each is TimingReport => each !== null),
      ),
      counters: last?.counters ?? null,
      gate: gated?.report ?? null,
      durability: durabilityOf(this.#spec, plan),
      memory: { heapBytesPerRow, linearBytesPerRow: last?.linearBytesPerRow ?? 0, inputRssBytes },
      peakRssBytes: last?.peakRssBytes ?? 0,
    };
  }

  /** One rated round; with `withGate`, everything is read back before the store goes. */
  async #rate(
    input: CellInput,
    plan: Plan,
    withGate: boolean,
  ): Promise<{ rate: RateRound; gate: Gated | null }> {
    const dir = this.#stores.next();
    const { persistent } = plan.wal.traits;
    let found = null;
    let rate: RateRound;
    {
      const disk = new ThrowawayDisk();
      await using engine = await this.#stores.open(dir, { timing: true, disk });
      try {
        rate = await rateRound(this.#context(input), engine, { persistent });
        if (withGate && !persistent) found = await readStore(engine);
      } finally {
        disk.stopSyncing(); // The gate reads through the page cache: a sync would prove nothing to it.
      }
    }
    let gate: Gated | null = null;
    if (withGate) {
      const expected = expectationOf(input);
      if (found !== null) gate = judge(expected, found, "flush");
      else {
        const start = performance.now();
        await using engine = await this.#stores.open(dir, { timing: false });
        const seconds = (performance.now() - start) / 1000;
        const { series, samples, index } = engine.recovery;
        const { report, reasons } = judge(expected, await readStore(engine), "reopen");
        const reopen = { seconds, series, samples, indexRebuilt: index.rebuilt };
        gate = { report: { ...report, reopen }, reasons };
      }
    }
    await this.#stores.remove(dir);
    return { rate, gate };
  }

  async #latency(input: CellInput): Promise<{ latency: Latency; floor: NoiseFloor }> {
    const { latencyRounds, warmupRounds } = this.#spec.measure;
    const perCall = Math.max(1, this.#spec.workload.batchRows);
    const calls = Math.ceil(input.timed.length / perCall);
    const pooled = new Float64Array(calls * latencyRounds);
    const round = (): Promise<Float64Array> =>
      this.#fresh(false, (engine) => latencyRound(this.#context(input), engine));
    // The timed loop is code of its own: it has to become warm as well.
    for (let i = 0; i < Math.min(1, warmupRounds); i += 1) await round();
    for (let i = 0; i < latencyRounds; i += 1) pooled.set(await round(), i * calls);
    const latency = latencyOf(pooled, perCall);
    const floor = await noiseFloor(latency, rowsPerTurn(this.#spec) / perCall);
    return { latency, floor };
  }

  /** Runs `work` on a store of its own, which is closed and removed afterwards. */
  async #fresh<T>(timing: boolean, work: (engine: Engine) => Promise<T>): Promise<T> {
    const dir = this.#stores.next();
    try {
      const disk = new ThrowawayDisk();
      await using engine = await this.#stores.open(dir, { timing, disk });
      try {
        return await work(engine);
      } finally {
        disk.stopSyncing();
      }
    } finally {
      await this.#stores.remove(dir);
    }
  }

  #context(input: CellInput): { spec: FullCellSpec; input: CellInput; signal?: AbortSignal } {
    return { spec: this.#spec, input, signal: this.#signal };
  }
}

interface Gated {
  readonly report: GateReport;
  readonly reasons: readonly string[];
}

/** Single writes through an open batch of several rows are acknowledged as accepted, whatever the log does at its close. */
function durabilityOf({ engine, workload }: FullCellSpec, plan: Plan): Durability {
  const { acknowledges, persistent } = plan.wal.traits;
  const rowsPerClose = engine.rowsPerClose ?? (acknowledges === "durable" ? 1 : 64);
  const isOpenBatch = workload.batchRows === 0 && rowsPerClose > 1;
  return {
    atReturn: isOpenBatch || !persistent ? "accepted" : acknowledges,
    atEnd: persistent ? "durable" : "memory",
  };
}
