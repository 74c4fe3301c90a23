import type { Slot } from "@varve/contracts";

/** A variant by name, with its factory's options. */
export interface VariantSpec {
  readonly name: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** The plans that `varve` exports. */
export type PresetName = "recommended" | "seed" | "durable" | "in-memory";

/**
 * A plan as plain data: a preset, and the slots that differ from it.
 * `{ base: "seed", wal: "async" }` swaps exactly one part.
 */
export type PlanSpec = {
  /** Default `recommended`. */
  readonly base?: PresetName;
} & { readonly [S in Slot]?: string | VariantSpec };
