import type { Variant } from "@varve/contracts";
import { scanPostings } from "./internal/scan.ts";

export function eagerPostings(): Variant<"postings"> {
  return {
    slot: "postings",
    name: "eager",
    traits: { eager: true },
    open: ({ keys }) => scanPostings(keys),
  };
}
