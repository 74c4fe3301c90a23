/** varve: an embedded store for time series, with preset plans. */
export * from "@varve/engine";
export { isStorageError, StorageError } from "@varve/contracts";
export type { Labels, Plan, StorageErrorCode, Variant } from "@varve/contracts";
export { durable, inMemory, recommended, seed } from "./plans.ts";
