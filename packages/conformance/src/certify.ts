import type { Slot, Variant } from "@varve/contracts";
import type { Case } from "./case.ts";
import { casesOf } from "./cases-of.ts";
import { CaseFailure } from "./expect.ts";
import { diskFor, Trial, type TrialOptions } from "./trial.ts";

/** A test framework's `test`, or anything that takes a title and a function that may reject. */
export type TestFunction = (title: string, run: () => Promise<void>) => unknown;

export interface CertifyOptions<S extends Slot = Slot> {
  readonly test: TestFunction;
  /** Decides every random choice; a failure prints it. */
  readonly seed?: number;
  /** Cases to run; all of the slot by default. */
  readonly cases?: readonly Case<S>[];
  /** Ids of cases known to fail. They must go on failing: one that passes is a failure, so the list stays true. */
  readonly gaps?: readonly string[];
  readonly options?: TrialOptions;
}

/**
 * Certifies a variant: registers a test for each case that its traits promise.
 *
 * ```ts
 * import { test } from "vitest";
 * certify(sortedIndex(), { test });
 * ```
 */
export function certify<S extends Slot>(variant: Variant<S>, options: CertifyOptions<S>): void {
  const { test, seed, gaps = [], options: trialOptions = {} } = options;
  const settings = seed === undefined ? trialOptions : { ...trialOptions, seed };
  for (const each of applicable(variant, options.cases, settings)) {
    test(`${variant.name} ${each.title} [${each.id}]`, async () => {
      const failure = await runCase(variant, each, settings);
      const isGap = gaps.includes(each.id);
      if (isGap && failure === undefined) {
        throw new CaseFailure(`${each.id} is listed as a gap and passes: take it off the list`);
      }
      if (!isGap && failure !== undefined) throw failure;
    });
  }
}

/** What became of a case. */
export interface CaseResult {
  readonly id: string;
  readonly title: string;
  readonly passed: boolean;
  readonly failure: Error | undefined;
  readonly seed: number;
  readonly durationMs: number;
}

/** Runs the cases that a variant promises, one after the other, without a test framework. */
export async function runCases<S extends Slot>(
  variant: Variant<S>,
  options: TrialOptions & { readonly cases?: readonly Case<S>[] } = {},
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const each of applicable(variant, options.cases, options)) {
    const start = performance.now();
    const failure = await runCase(variant, each, options);
    results.push({
      id: each.id,
      title: each.title,
      passed: failure === undefined,
      failure,
      seed: options.seed ?? 1,
      durationMs: performance.now() - start,
    });
  }
  return results;
}

function applicable<S extends Slot>(
  variant: Variant<S>,
  chosen: readonly Case<S>[] | undefined,
  options: TrialOptions,
): readonly Case<S>[] {
  const all = chosen ?? casesOf(variant.slot as S);
  const disk = diskFor(variant, options);
  return all.filter((each) => each.disks.includes(disk) && each.applies(variant, options));
}

/** Runs one case, and returns how it failed, with everything needed to have the failure again. */
async function runCase<S extends Slot>(
  variant: Variant<S>,
  each: Case<S>,
  options: TrialOptions,
): Promise<Error | undefined> {
  const { seed = 1 } = options;
  try {
    await using trial = new Trial(variant, options);
    await each.run(trial);
    return undefined;
  } catch (cause) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    return new CaseFailure(`${variant.name} breaks ${each.id} (seed ${seed}): ${reason}`, {
      cause,
    });
  }
}
