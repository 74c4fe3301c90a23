import type { Slot } from "@varve/contracts";
import type { VariantSpec } from "../plan-spec.ts";
import { slotFlags, variantSpec } from "./parse.ts";

/** One axis of a matrix: a slot and the variants that take their turn in it. */
export interface Axis {
  readonly slot: Slot;
  readonly variants: readonly VariantSpec[];
}

/** The slots of which the options name variants. Throws INPUT for a name that the catalog does not have. */
export function axesOf(options: Readonly<Record<string, unknown>>): Axis[] {
  return slotFlags(options).map(([slot, texts]): Axis => ({
    slot,
    variants: texts.map((text) => variantSpec(slot, text)),
  }));
}

/** Every way to take one variant of each axis, the last axis fastest; without axes there is one. */
export function product(axes: readonly Axis[]): [Slot, VariantSpec][][] {
  return axes.reduce<[Slot, VariantSpec][][]>(
    (rows, { slot, variants }) =>
      rows.flatMap((row) =>
        variants.map((variant): [Slot, VariantSpec][] => [...row, [slot, variant]]),
      ),
    [[]],
  );
}
