/** A dull correct variant for each slot: what the kit must pass. */
export * from "./blocks.ts";
export * from "./log.ts";
export * from "./postings.ts";
export * from "./small.ts";
