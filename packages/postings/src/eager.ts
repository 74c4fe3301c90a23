import type { Variant } from "@varve/contracts";
import { listedPostings } from "./internal/listed-postings.ts";

/**
 * Lists that every new series is put into at once, so that writes pay for queries, asked or not. Series that were
 * there at the opening come in with `maintain`, or with the first query.
 */
export function eagerPostings(): Variant<"postings"> {
  return {
    slot: "postings",
    name: "eager",
    traits: { eager: true },
    open: ({ keys }) => listedPostings(keys, { eager: true }),
  };
}
