import { CATALOG } from "@varve/lab";
import type { Figures } from "../work.ts";
import { eachRange, HASH_SEED, makeRows, sumOf } from "./rows.ts";
import type { Stage } from "./stage.ts";

/** Hashing keys. */
export const hash: Stage = {
  missing: (variant) => missingIn("series-id", variant),
  open: async (variant, { sizes }) => {
    const rows = await makeRows(sizes);
    const { memory, batches, count } = rows;
    const hasher = await CATALOG["series-id"][variant]!.make().open({ memory, seed: HASH_SEED });
    const pass = (size: number): void => {
      eachRange(rows, size, (batch, from, until) => hasher.hash(batch, from, until));
    };
    pass(1);
    const distinct = new Set(
      batches.flatMap(({ hashes, length }) =>
        Array.from({ length }, (_, i) => `${hashes[2 * i]} ${hashes[2 * i + 1]}`),
      ),
    );
    if (distinct.size !== count) throw new Error(`${variant} gives keys the same hash`);
    const sum = batches.reduce((to, { hashes, length }) => sumOf(to, hashes, 2 * length), 0);
    // Of xxh64 there are several, which have to agree.
    const checks: Figures = variant.startsWith("xxh64") ? { "check-xxh64": sum } : {};
    return { count, begin: () => undefined, pass, checks, close: () => Promise.resolve() };
  },
};

/** Why a slot has no variant of a name; null when it has one. */
export function missingIn(slot: keyof typeof CATALOG, variant: string): string | null {
  return variant in CATALOG[slot] ? null : `there is no ${slot}/${variant} in the catalogue`;
}
