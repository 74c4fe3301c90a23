/** Prometheus v1 blocks: their writer and reader, and what names and describes them. */
export * from "./chunk-end.ts";
export * from "./merge.ts";
export * from "./meta.ts";
export * from "./reader.ts";
export * from "./tombstones.ts";
export * from "./ulid.ts";
export * from "./verify.ts";
export * from "./writer.ts";
