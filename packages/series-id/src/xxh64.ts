import type { SeriesIdNeeds, Variant } from "@varve/contracts";
import { Xxh64Hasher } from "./internal/xxh64-hasher.ts";

/** xxh64 in plain TypeScript: with seed 0 it is Prometheus' StableHash. */
export function xxh64Id(): Variant<"series-id"> {
  return {
    slot: "series-id",
    name: "xxh64",
    traits: { stable: true },
    open: ({ seed }: SeriesIdNeeds) => new Xxh64Hasher(seed),
  };
}
