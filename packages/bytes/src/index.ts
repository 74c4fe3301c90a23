/** Bytes: the linear memory, batches, record buffers, keys, varints and CRC-32C. */
export * from "./compare.ts";
export * from "./copy.ts";
export * from "./crc32c.ts";
export * from "./columns.ts";
export * from "./kernel.ts";
export * from "./key.ts";
export * from "./key-sorter.ts";
export * from "./linear-memory.ts";
export * from "./random.ts";
export * from "./record-buffer.ts";
export * from "./row-batch.ts";
export * from "./scalar-index.ts";
export * from "./utf8.ts";
export * from "./varint.ts";
