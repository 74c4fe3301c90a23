/** Workloads: seeded label sets, samples and queries, and readers of real ones. */
export * from "./answer-digest.ts";
export * from "./capture.ts";
export * from "./devops.ts";
export * from "./distinct.ts";
export * from "./expected-answer.ts";
export * from "./exposition.ts";
export * from "./query.ts";
export * from "./query-maker.ts";
export * from "./query-matchers.ts";
export * from "./sample-grid.ts";
export * from "./series-file.ts";
export * from "./series-json.ts";
export * from "./walk.ts";
