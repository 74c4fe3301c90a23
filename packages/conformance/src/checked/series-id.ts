import { assert, type SeriesHasher } from "@varve/contracts";
import { checkRange } from "./range.ts";

/** Asserts that only hashes of the range change, and that a key always has the same hash. */
export function checkedSeriesId(hasher: SeriesHasher): SeriesHasher {
  return {
    hash(batch, from, until): void {
      checkRange(batch, from, until);
      const before = batch.hashes.slice();
      hasher.hash(batch, from, until);
      const after = batch.hashes.slice();
      for (let row = 0; row < batch.length; row += 1) {
        if (row >= from && row < until) continue;
        const isSame =
          after[2 * row] === before[2 * row] && after[2 * row + 1] === before[2 * row + 1];
        assert(isSame, `hash of row ${row}, outside the range, stays as it is`);
      }
      for (let row = from; row < until; row += 1) hasher.hash(batch, row, row + 1);
      for (let i = 2 * from; i < 2 * until; i += 1) {
        assert(
          batch.hashes[i] === after[i],
          `row ${i >> 1} has the same hash alone and in a range`,
        );
      }
    },
  };
}
