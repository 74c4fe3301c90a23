/** Every contract of varve: what the parts of an engine promise one another. No dependency, no I/O. */
export * from "./allocator.ts";
export * from "./assert.ts";
export * from "./batch.ts";
export * from "./block-manager.ts";
export * from "./chunk.ts";
export * from "./columns.ts";
export * from "./disk.ts";
export * from "./errors.ts";
export * from "./labels.ts";
export * from "./locks.ts";
export * from "./memory.ts";
export * from "./record.ts";
export * from "./series-id.ts";
export * from "./series-index.ts";
export * from "./variant.ts";
export * from "./wal.ts";
