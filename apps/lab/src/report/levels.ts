import type { CellResult, Durability } from "../cell/result.ts";

/** The level that a figure paid for, short enough for a column. */
export function levelOf(durability: Durability | null): string {
  if (durability === null) return "";
  if (durability.atEnd === "memory") return "memory";
  return durability.atReturn === "durable" ? "durable/call" : "durable/end";
}

const MEANING: Readonly<Record<string, string>> = {
  memory: "memory: nothing is kept.",
  "durable/call": "durable/call: each call returned when its rows were on the disk.",
  "durable/end":
    "durable/end: each call returned when its rows were accepted, and the clock stopped when all were on the disk.",
};

/** Explains the levels that occur. */
export function levelLines(results: readonly CellResult[]): string[] {
  const levels = new Set(results.map(({ durability }) => levelOf(durability)));
  return [...levels].flatMap((level) => MEANING[level] ?? []);
}
