import type { Slot } from "@varve/contracts";
import type { Case } from "./case.ts";
import { allocatorCases } from "./cases/allocator.ts";
import { blockManagerCases } from "./cases/block-manager.ts";
import { chunkCases } from "./cases/chunk.ts";
import { labelKeyCases } from "./cases/label-key.ts";
import { locksCases } from "./cases/locks.ts";
import { postingsCases } from "./cases/postings.ts";
import { recordCases } from "./cases/record.ts";
import { seriesIdCases } from "./cases/series-id.ts";
import { seriesIndexCases } from "./cases/series-index.ts";
import { walCases } from "./cases/wal.ts";

const CASES: { readonly [S in Slot]: readonly Case<S>[] } = {
  "label-key": labelKeyCases,
  "series-id": seriesIdCases,
  "series-index": seriesIndexCases,
  postings: postingsCases,
  record: recordCases,
  wal: walCases,
  allocator: allocatorCases,
  chunk: chunkCases,
  "block-manager": blockManagerCases,
  locks: locksCases,
};

/** All cases of a slot, as data. */
export function casesOf<S extends Slot>(slot: S): readonly Case<S>[] {
  return CASES[slot];
}
