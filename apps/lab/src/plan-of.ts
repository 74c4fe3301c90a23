import { SLOTS, StorageError, type Plan, type Slot, type Variant } from "@varve/contracts";
import { durable, inMemory, recommended, seed } from "varve";
import { CATALOG, type Catalog, type VariantOptions } from "./catalog.ts";
import type { PlanSpec, PresetName } from "./plan-spec.ts";

/** The plans that `varve` exports, by name. */
export const PRESETS: Readonly<Record<PresetName, () => Plan>> = {
  recommended,
  durable,
  "in-memory": inMemory,
  seed,
};

/** Makes the plan that a spec names. Throws INPUT when it names something that the catalog does not have. */
export function planOf(spec: PlanSpec, catalog: Catalog = CATALOG): Plan {
  const preset = PRESETS[spec.base ?? "recommended"];
  if (preset === undefined) {
    throw inputError(`there is no plan "${spec.base}": take one of ${namesOf(PRESETS)}`);
  }
  const plan: Record<string, Variant> = { ...preset() };
  for (const slot of SLOTS) {
    const wanted = spec[slot];
    if (wanted === undefined) continue;
    const { name, options } = typeof wanted === "string" ? { name: wanted } : wanted;
    plan[slot] = variantOf(slot, name, options, catalog);
  }
  return plan as unknown as Plan;
}

/** Makes one variant by name. Throws INPUT when the slot has none of that name, or when it has no such option. */
export function variantOf(
  slot: Slot,
  name: string,
  options?: VariantOptions,
  catalog: Catalog = CATALOG,
): Variant {
  const variants = catalog[slot];
  const found = Object.hasOwn(variants, name) ? variants[name] : undefined;
  if (found === undefined) {
    throw inputError(`slot ${slot} has no variant "${name}": take one of ${namesOf(variants)}`);
  }
  for (const option of Object.keys(options ?? {})) {
    if (found.options.includes(option)) continue;
    const known = found.options.length === 0 ? "none" : found.options.join(", ");
    throw inputError(`${slot} ${name} has no option "${option}": it takes ${known}`);
  }
  return found.make(options);
}

/** The slot of that name. Throws INPUT when there is none. */
export function slotOf(name: string): Slot {
  const slot = SLOTS.find((each) => each === name);
  if (slot === undefined) {
    throw inputError(`there is no slot "${name}": take one of ${[...SLOTS].join(", ")}`);
  }
  return slot;
}

function namesOf(things: Readonly<Record<string, unknown>>): string {
  return Object.keys(things).join(", ");
}

function inputError(message: string): StorageError {
  return new StorageError("INPUT", message);
}
