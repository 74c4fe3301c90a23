import { readFileSync } from "node:fs";

/** Collects garbage where that can be asked for, and returns the resident bytes that are left. */
export function collect(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

/**
 * Most bytes that were ever resident. Linux' `maxRSS` begins with what the process held that made this one, so there the
 * mark of this program alone is taken.
 */
export function peakRss(): number {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
    if (line !== null) return Number(line[1]) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}
