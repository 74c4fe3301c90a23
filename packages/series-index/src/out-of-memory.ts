import { StorageError, type SeriesIndexNeeds } from "@varve/contracts";

/** LIMIT, for what cannot be refused as a row. */
export function outOfMemory(needs: SeriesIndexNeeds, what: string): StorageError {
  const max = needs.memory.bytesMax;
  return new StorageError(
    "LIMIT",
    `no memory is left for ${what} (${max} bytes in all); open with a larger memoryBytesMax`,
    { facts: { limit: "memoryBytesMax", max } },
  );
}
