import { loadKernel } from "@varve/bytes";
import type { Memory, WriteBatch } from "@varve/contracts";
import type { SeriesTable } from "./series-table.ts";
import type { UndoStack } from "./undo.ts";

/** What kernel/admit.ts exports. Places are byte offsets of the memory. */
interface Exports {
  admitRows(
    refs: number,
    times: number,
    values: number,
    status: number,
    from: number,
    until: number,
    pages: number,
    pageCount: number,
    pageShift: number,
    stride: number,
    cutTime: number,
    undo: number,
    most: number,
  ): number;
}

const KERNEL = new URL("../../dist/kernel/admit.wasm", import.meta.url);

/** Admits rows that need no decision. */
export class AdmitKernel {
  readonly #exports: Exports;
  readonly #series: SeriesTable;
  readonly #undo: UndoStack;

  constructor(memory: Memory, series: SeriesTable, undo: UndoStack) {
    this.#exports = loadKernel<Exports>(KERNEL, memory);
    this.#series = series;
    this.#undo = undo;
  }

  /**
   * Admits rows up to the first one that is not for the kernel, and returns that row, or `until`. At most `ready` rows wait to
   * be applied then.
   */
  admit(batch: WriteBatch, from: number, until: number, cutTime: number, ready: number): number {
    const { refs, times, values, status } = batch;
    const { pagesAt, pageCount, pageShift, stride } = this.#series.openChunks;
    const undo = this.#undo;
    return this.#exports.admitRows(
      refs.byteOffset,
      times.byteOffset,
      values.byteOffset,
      status.byteOffset,
      from,
      until,
      pagesAt,
      pageCount,
      pageShift,
      stride,
      cutTime,
      undo.at,
      Math.min(undo.capacity, undo.applied + ready),
    );
  }
}
