import type { Labels } from "@varve/contracts";
import type { Engine, PreparedLabels, UserBatch } from "@varve/engine";
import { setImmediate as turn } from "node:timers/promises";
import type { CellInput, RowColumns } from "./rows.ts";
import type { FullCellSpec } from "./spec.ts";

/** A writer of a range of rows: one function for each way of calling, so that the loop decides nothing. */
export type WriteRange = (from: number, until: number) => void;

/** What a round writes to: the labels as the engine takes them, and a batch if rows are written in batches. */
export interface WriteTarget {
  readonly engine: Engine;
  readonly labels: readonly (Labels | PreparedLabels)[];
  readonly batch: UserBatch | null;
  /** Rows of one call: 1 for single writes. */
  readonly rowsPerCall: number;
}

/** Prepares what is to be ready before the clock starts. */
export function makeTarget(spec: FullCellSpec, engine: Engine, input: CellInput): WriteTarget {
  const { batchRows, by } = spec.workload;
  return {
    engine,
    labels: by === "prepared" ? input.labels.map((each) => engine.labels(each)) : input.labels,
    batch: batchRows > 0 ? engine.batch(batchRows) : null,
    rowsPerCall: Math.max(1, batchRows),
  };
}

/** Writes rows without looking at a clock. */
export function plainWriter(target: WriteTarget, rows: RowColumns): WriteRange {
  const { engine, labels, batch, rowsPerCall } = target;
  const { series, times, values } = rows;
  if (batch === null) {
    return (from, until) => {
      for (let row = from; row < until; row += 1) {
        engine.write(labels[series[row]!]!, times[row]!, values[row]!);
      }
    };
  }
  return (from, until) => {
    for (let at = from; at < until; at += rowsPerCall) {
      const end = Math.min(until, at + rowsPerCall);
      batch.clear();
      for (let row = at; row < end; row += 1) {
        batch.add(labels[series[row]!]!, times[row]!, values[row]!);
      }
      engine.writeBatch(batch);
    }
  };
}

/** Writes rows and puts the time of each call into `into`, in microseconds. */
export function timedWriter(target: WriteTarget, rows: RowColumns, into: Float64Array): WriteRange {
  const one = plainWriter(target, rows);
  const { engine, labels, batch, rowsPerCall } = target;
  const { series, times, values } = rows;
  if (batch === null) {
    return (from, until) => {
      for (let row = from; row < until; row += 1) {
        const start = performance.now();
        engine.write(labels[series[row]!]!, times[row]!, values[row]!);
        into[row] = (performance.now() - start) * 1000;
      }
    };
  }
  return (from, until) => {
    for (let at = from; at < until; at += rowsPerCall) {
      const start = performance.now();
      one(at, Math.min(until, at + rowsPerCall));
      into[Math.floor(at / rowsPerCall)] = (performance.now() - start) * 1000;
    }
  };
}

/** Writes all rows, giving the event loop a turn now and then. Throws the signal's reason once it is aborted. */
export async function writeAll(
  write: WriteRange,
  length: number,
  options: { readonly every: number; readonly signal?: AbortSignal },
): Promise<void> {
  const { every, signal } = options;
  for (let from = 0; from < length; from += every) {
    write(from, Math.min(length, from + every));
    if (from + every >= length) break;
    await turn();
    signal?.throwIfAborted();
  }
}
