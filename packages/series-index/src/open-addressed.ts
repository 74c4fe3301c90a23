import type { Variant } from "@varve/contracts";
import { OpenAddressedIndex } from "./open-addressed-index.ts";

/** Options of the open-addressed index. */
export interface OpenAddressedOptions {
  /** Touches the memory of `seriesExpected` series at open, in slices: later inserts meet no fresh page. */
  readonly prefault?: boolean;
  /** Length of a typical key, in bytes: how much key memory prefaulting prepares. */
  readonly keyBytesExpected?: number;
}

/**
 * A hash table in the linear memory: slots of four words in segments of 8 KiB that split one at a time, keys in
 * arena pages, whole hashes and whole keys compared. Finding allocates nothing and looks in one segment;
 * an insert moves at most the slots of one segment. Forgets everything at close.
 *
 * Adopted series do not count against `seriesMax`, since the log already has them; rows after them do.
 * When the memory is full, new keys get LIMIT, and adopting throws LIMIT.
 */
export function openAddressedIndex(options: OpenAddressedOptions = {}): Variant<"series-index"> {
  const { prefault: touch = false, keyBytesExpected = 192 } = options;
  return {
    slot: "series-index",
    name: "open-addressed",
    traits: { persistent: false },
    async open(needs) {
      const index = new OpenAddressedIndex(needs);
      if (touch) await index.prepare(needs.seriesExpected, keyBytesExpected);
      return index;
    },
  };
}
