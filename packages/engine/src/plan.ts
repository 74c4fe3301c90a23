import { SLOTS, StorageError, type Plan } from "@varve/contracts";

/** Throws PLAN, saying which slot and why, when the plan's variants cannot work together. */
export function checkPlan(plan: Plan): void {
  for (const slot of SLOTS) {
    const variant = plan[slot];
    if (variant === undefined) throw planError(`slot ${slot} is empty: give it a variant`);
    if (variant.slot !== slot) {
      throw planError(`slot ${slot} holds ${variant.name}, which is a variant for ${variant.slot}`);
    }
  }
  if (plan.chunk.traits.needsLinear && !plan.allocator.traits.linear) {
    throw planError(
      `chunk ${plan.chunk.name} works only on regions in the linear memory, and allocator ` +
        `${plan.allocator.name} has none: take an allocator whose trait \`linear\` is true`,
    );
  }
}

function planError(message: string): StorageError {
  return new StorageError("PLAN", message);
}

/** A plan as names, for reports: `{ wal: "batched", … }`. */
export function planNames(plan: Plan): Record<string, string> {
  return Object.fromEntries(SLOTS.map((slot) => [slot, plan[slot].name]));
}
