import type { EngineStats } from "@varve/engine";
import type { CellCounters } from "./result.ts";

/** Fields that say how much there is now; all others count up from the opening of the engine. */
const GAUGES = new Set([
  "bytes",
  "live",
  "liveBytes",
  "retainedBytes",
  "series",
  "bytesOnDisk",
  "overflowed",
]);

/** What the parts did between two looks at their counters. Gauges stand as they were at the second. */
export function countersBetween(before: EngineStats, after: EngineStats): CellCounters {
  return {
    index: difference(before.index, after.index),
    wal: difference(before.wal, after.wal),
    allocator: difference(before.allocator, after.allocator),
    blocks: difference(before.blocks, after.blocks),
    locks: difference(before.locks, after.locks),
  };
}

function difference<T extends object>(before: T, after: T): T {
  const entries = Object.entries(after).map(([name, value]) => {
    const earlier = (before as Record<string, number>)[name] ?? 0;
    return [name, GAUGES.has(name) ? value : value - earlier];
  });
  return Object.fromEntries(entries) as T;
}

/** A copy, since parts may hand out one object that goes on counting. */
export function statsNow(engine: { stats(): EngineStats }): EngineStats {
  return copyOf(engine.stats()) as unknown as EngineStats;
}

/** Counters may be getters of a class: reads what JSON would not see. */
function copyOf(stats: EngineStats): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(stats)) {
    copy[name] = typeof value === "object" && value !== null ? plainOf(value) : value;
  }
  return copy;
}

function plainOf(value: object): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const name of fieldNames(value)) copy[name] = (value as Record<string, unknown>)[name];
  return copy;
}

function fieldNames(value: object): Set<string> {
  const names = new Set(Object.keys(value));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return names;
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (descriptor.get !== undefined) names.add(name);
  }
  return names;
}
