import { isStorageError } from "@varve/contracts";
import { checkPlan, open, planNames } from "@varve/engine";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CATALOG, type Catalog } from "../catalog.ts";
import { describe } from "../cell/describe.ts";
import type { PlanNames } from "../cell/spec.ts";
import { planOf } from "../plan-of.ts";
import { spreadOf } from "../stats/spread.ts";
import { makeQueryData } from "./data.ts";
import { fillStore } from "./fill.ts";
import { measureKind, queriesOf, warmUp, WrongAnswer } from "./measure-kind.ts";
import { emptyQueryResult, type KindResult, type QueryCellResult } from "./result.ts";
import type { QueryCellSpec } from "./spec.ts";

export interface RunQueryCellOptions {
  /** Directory of this cell's store, made when missing and removed at the end. Default: a new temporary one. */
  readonly dir?: string;
  /** Ends the cell at the next turn of the event loop; the reason is thrown. */
  readonly signal?: AbortSignal;
  /** Variants by name. Default: all of ours. */
  readonly catalog?: Catalog;
}

/** Most queries of a kind, unless the spec says otherwise. */
const QUERIES_MAX = 200;

/**
 * Fills a store, puts the queries of each kind to it, warm, and compares every answer with what the data says. What goes
 * wrong is the result's status and reasons; only a misspelled plan and an abort are thrown.
 */
export async function runQueryCell(
  spec: QueryCellSpec,
  options: RunQueryCellOptions = {},
): Promise<QueryCellResult> {
  const { signal, catalog = CATALOG } = options;
  const plan = planOf(spec.plan, catalog);
  const names = planNames(plan) as PlanNames;
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), "varve-lab-")));
  try {
    checkPlan(plan);
    await mkdir(dir, { recursive: true });
    const made = await makeQueryData(spec.data);
    signal?.throwIfAborted();
    // Nothing moves samples but the cell: they lie where its place says.
    await using engine = await open({ dir: join(dir, "store"), plan, maintainEveryMs: 0 });
    const load = await fillStore(engine, made, { place: spec.place, signal });
    const { queriesMax = QUERIES_MAX } = spec;
    const draws = { seed: spec.data.seed, queriesMax };
    const all = spec.kinds.map((kind) => queriesOf(kind, made, draws));
    for (const each of all) await warmUp(engine, each, signal);
    const kinds: KindResult[] = [];
    for (const each of all) kinds.push(await measureKind(engine, each, made, signal));
    return {
      ...emptyQueryResult(spec, "ok", [], 1),
      plan: names,
      repeats: { wanted: 1, finished: 1 },
      load,
      kinds,
      rate: spreadOf([overallRate(kinds)]),
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
    };
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    const status = isStorageError(error, "PLAN") ? "n/a" : "failed";
    const reason = error instanceof WrongAnswer ? error.message : describe(error);
    return { ...emptyQueryResult(spec, status, [reason], 1), plan: names };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Samples read a second, over all kinds. */
function overallRate(kinds: readonly KindResult[]): number {
  const seconds = kinds.reduce((sum, each) => sum + each.samples / each.samplesPerSecond, 0);
  return kinds.reduce((sum, each) => sum + each.samples, 0) / seconds;
}
