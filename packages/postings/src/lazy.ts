import type { Variant } from "@varve/contracts";
import { scanPostings } from "./internal/scan.ts";

export function lazyPostings(): Variant<"postings"> {
  return {
    slot: "postings",
    name: "lazy",
    traits: { eager: false },
    open: ({ keys }) => scanPostings(keys),
  };
}
