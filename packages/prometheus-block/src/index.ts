/** Prometheus v1 blocks: their writer, and what names and describes them. */
export * from "./chunk-end.ts";
export * from "./meta.ts";
export * from "./ulid.ts";
export * from "./writer.ts";
