import { equalBytes, keyOf } from "@varve/bytes";
import { assert, isStorageError, type KeyEncoder, type Labels } from "@varve/contracts";

/** Asserts that each key is canonical, and that a refused label set leaves the row before as it was. */
export function checkedLabelKey(encoder: KeyEncoder): KeyEncoder {
  return {
    encode(labels: Labels, batch, row): void {
      const isNext = row >= 0 && row <= batch.length && row < batch.capacity;
      assert(isNext, `row ${row} is one of the ${batch.length}, or the next`);
      const from = batch.keyAt[row]!;
      const before = batch.keys.slice(0, from);
      try {
        encoder.encode(labels, batch, row);
      } catch (error) {
        assert(
          isStorageError(error, "LABELS") || isStorageError(error, "LIMIT"),
          `labels are refused with LABELS, or LIMIT when memory is full, got ${String(error)}`,
        );
        checkBefore(before, batch.keys);
        throw error;
      }
      checkBefore(before, batch.keys);
      assert(batch.keyAt[row] === from, `key of row ${row} starts where the one before ends`);
      const key = keyOf(labels);
      const until = batch.keyAt[row + 1]!;
      const isCanonical = equalBytes(key, 0, key.length, batch.keys, from, until);
      assert(isCanonical, `key of row ${row} is the canonical key of ${JSON.stringify(labels)}`);
    },
  };
}

function checkBefore(before: Uint8Array, keys: Uint8Array): void {
  const isSame = equalBytes(before, 0, before.length, keys, 0, before.length);
  assert(isSame, "keys of the rows before stay as they are");
}
