import type { Slot } from "@varve/contracts";
import { recommended, seed } from "varve";
import type { CellSpec } from "../cell/spec.ts";
import type { PlanSpec } from "../plan-spec.ts";
import { OTHER_FIXES, SUSPECTS, type Fix } from "./suspects.ts";

/** Rows of single writes that the best composition logs together; the baseline logs each alone. */
export const BEST_ROWS_PER_CLOSE = 64;

/** The baseline with some changes applied. */
export interface Composition {
  readonly fixes: readonly Fix[];
}

/** The composition that the question came from. */
export const BASELINE: Composition = { fixes: [] };

/** Every change applied: the same parts as `recommended()`. */
export const BEST: Composition = { fixes: [...SUSPECTS, ...OTHER_FIXES] };

/** What a cell needs to run a composition. */
export function cellOf(composition: Composition): Pick<CellSpec, "plan" | "engine"> {
  const best = recommended();
  const slots = composition.fixes.flatMap((fix) => fix.slots);
  const swaps = Object.fromEntries(slots.map((slot) => [slot, best[slot].name]));
  const isOpenBatch = composition.fixes.some((fix) => fix.openBatch === true);
  return {
    plan: { base: "seed", ...swaps } satisfies PlanSpec,
    engine: { rowsPerClose: isOpenBatch ? BEST_ROWS_PER_CLOSE : 1 },
  };
}

/** What a change swaps, for tables: `block-manager: immediate → background`. */
export function swapText(fix: Fix): string {
  const swaps = fix.slots.map(slotSwap);
  if (fix.openBatch === true) swaps.push(`rows a close: 1 → ${BEST_ROWS_PER_CLOSE}`);
  return swaps.join(", ");
}

function slotSwap(slot: Slot): string {
  const from = seed()[slot].name;
  const to = recommended()[slot].name;
  // The two logs share a variant and differ in an option.
  return from === to ? `${slot}: a write a record → groups` : `${slot}: ${from} → ${to}`;
}

/** Adds a change to a composition. */
export function withFix(to: Composition, fix: Fix): Composition {
  return { fixes: [...to.fixes, fix] };
}
