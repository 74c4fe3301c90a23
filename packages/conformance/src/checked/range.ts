import { assert, type WriteBatch } from "@varve/contracts";

/** Asserts that from … until-1 are rows of the batch. */
export function checkRange(batch: WriteBatch, from: number, until: number): void {
  assert(
    from >= 0 && from <= until && until <= batch.length,
    `rows ${from} to ${until} are rows of a batch of ${batch.length}`,
  );
}
