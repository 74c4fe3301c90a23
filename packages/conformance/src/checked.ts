import type { Slot, Slots, Variant } from "@varve/contracts";
import { checkedAllocator } from "./checked/allocator.ts";
import { checkedBlockManager } from "./checked/block-manager.ts";
import { checkedChunk } from "./checked/chunk.ts";
import { checkedLabelKey } from "./checked/label-key.ts";
import { checkedLocks } from "./checked/locks.ts";
import { checkedPostings } from "./checked/postings.ts";
import { checkedRecord } from "./checked/record.ts";
import { checkedSeriesId } from "./checked/series-id.ts";
import { checkedSeriesIndex } from "./checked/series-index.ts";
import { checkedWal } from "./checked/wal.ts";

type Decorators = {
  readonly [S in Slot]: (
    part: Slots[S]["part"],
    needs: Slots[S]["needs"],
    traits: Slots[S]["traits"],
  ) => Slots[S]["part"];
};

const DECORATORS: Decorators = {
  "label-key": checkedLabelKey,
  "series-id": checkedSeriesId,
  "series-index": checkedSeriesIndex,
  postings: checkedPostings,
  record: checkedRecord,
  wal: checkedWal,
  allocator: checkedAllocator,
  chunk: checkedChunk,
  "block-manager": checkedBlockManager,
  locks: checkedLocks,
};

/**
 * The same variant, with the asserts that hot paths do not have: on every call, of the part and of its caller.
 *
 * A broken rule throws an `AssertionError` that states the fact. Slow: for tests.
 */
export function checked<S extends Slot>(variant: Variant<S>): Variant<S> {
  const decorate = DECORATORS[variant.slot as S];
  return {
    slot: variant.slot,
    name: variant.name,
    traits: variant.traits,
    open: async (needs) => decorate(await variant.open(needs), needs, variant.traits),
  };
}
