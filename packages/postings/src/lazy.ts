import type { Variant } from "@varve/contracts";
import { listedPostings } from "./internal/listed-postings.ts";

/**
 * Lists that nobody fills until somebody asks: a new series costs nothing. The first query puts all series into the
 * lists, about 0.5 µs each; later ones only those that came since, and `maintain` does it before they ask.
 */
export function lazyPostings(): Variant<"postings"> {
  return {
    slot: "postings",
    name: "lazy",
    traits: { eager: false },
    open: ({ keys }) => listedPostings(keys, { eager: false }),
  };
}
