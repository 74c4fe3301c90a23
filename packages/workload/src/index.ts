/** Workloads: seeded label sets and samples, and readers of real ones. */
export * from "./capture.ts";
export * from "./devops.ts";
export * from "./distinct.ts";
export * from "./exposition.ts";
export * from "./series-file.ts";
export * from "./series-json.ts";
export * from "./walk.ts";
