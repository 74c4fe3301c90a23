import type { Lsn } from "@varve/contracts";
import type { BlockMeta } from "@varve/prometheus-block";

/**
 * What a block says about the log it was cut from: a field of its own in meta.json, which Prometheus passes over.
 * Only blocks of the same store count, and the furthest of each fact: merges carry them on.
 */
export interface CutFacts {
  /** Every row below this time that was not late is in blocks. */
  readonly cutTime: number;
  /** Every late row of batches up to this one is in blocks. */
  readonly lateLsn: Lsn;
}

/** Prometheus' hint on blocks of late samples alone: their times say nothing about what the log may leave out. */
export const LATE_HINT = "from-out-of-order";

/** Facts of a store that has cut no block. */
export const NO_FACTS: CutFacts = { cutTime: Number.NEGATIVE_INFINITY, lateLsn: 0 };

/** The field, as meta.json has it. A time that nothing was cut before is left out: JSON has no infinity. */
export function factsField(store: string, { cutTime, lateLsn }: CutFacts): Record<string, unknown> {
  return { varve: { store, ...(Number.isFinite(cutTime) ? { cutTime } : {}), lateLsn } };
}

/** Reads the field from a file that nobody trusts: undefined when it is missing, malformed or another store's. */
export function readFacts(store: string, meta: BlockMeta): CutFacts | undefined {
  const field: unknown = meta.raw["varve"];
  if (typeof field !== "object" || field === null) return undefined;
  const { store: owner, cutTime, lateLsn } = field as Record<string, unknown>;
  if (owner !== store || !Number.isSafeInteger(lateLsn)) return undefined;
  const time = Number.isSafeInteger(cutTime) ? (cutTime as number) : Number.NEGATIVE_INFINITY;
  return { cutTime: time, lateLsn: lateLsn as number };
}

export function unite(facts: Iterable<CutFacts | undefined>): CutFacts {
  let { cutTime, lateLsn } = NO_FACTS;
  for (const each of facts) {
    if (each === undefined) continue;
    cutTime = Math.max(cutTime, each.cutTime);
    lateLsn = Math.max(lateLsn, each.lateLsn);
  }
  return { cutTime, lateLsn };
}
