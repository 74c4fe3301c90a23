/** Prometheus v1 blocks: their writer and reader, and what names and describes them. */
export * from "./chunk-end.ts";
export * from "./meta.ts";
export * from "./reader.ts";
export * from "./tombstones.ts";
export * from "./ulid.ts";
export * from "./writer.ts";
