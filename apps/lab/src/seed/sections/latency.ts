import { micros } from "../../report/format.ts";
import type { LatencyOverFloor } from "../report.ts";

/** Columns of a latency. */
export const LATENCY_HEAD = ["P50", "P99", "P99.9", "max", "floor P99", "floor P99.9"] as const;

/** A latency in those columns. A tail below the noise floor is the machine's, and is not claimed. */
export function latencyCells(latency: LatencyOverFloor): string[] {
  const { p50Us, p99Us, p999Us, maxUs, noiseFloor } = latency;
  return [
    micros(p50Us),
    p99Us < noiseFloor.p99Us ? "≤ floor" : micros(p99Us),
    p999Us < noiseFloor.p999Us ? "≤ floor" : micros(p999Us),
    micros(maxUs),
    micros(noiseFloor.p99Us),
    micros(noiseFloor.p999Us),
  ];
}
