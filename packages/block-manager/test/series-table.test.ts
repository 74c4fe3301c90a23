import { reserveMemory } from "@varve/bytes";
import { expect, test } from "vitest";
import { FLAGS, KNOWN, NO_PAGE, SERIES_SHIFT, SeriesTable } from "../src/internal/series-table.ts";

const REF_MAX = 2 ** 32 - 1;
const pageNumber = (ref: number): number => (ref - 1) >>> SERIES_SHIFT;

function tableWith(...refs: number[]) {
  const memory = reserveMemory({ bytesMax: 4 * 2 ** 20 });
  const table = new SeriesTable(memory, 32);
  for (const ref of refs) {
    const { words } = table.page(pageNumber(ref));
    words[(table.baseOf(ref) >> 2) + FLAGS] = KNOWN;
  }
  return { memory, table };
}

test("finds refs near and far, and nothing between them", () => {
  const refs = [1, 1025, 5000, 2 ** 31 + 5, REF_MAX];
  const { table } = tableWith(...refs);
  for (const ref of refs) {
    const { words } = table.pageOf(ref);
    expect(words[(table.baseOf(ref) >> 2) + FLAGS]).toBe(KNOWN);
  }
  for (const ref of [3000, 2 ** 30, 2 ** 32 - 5000]) expect(table.pageOf(ref)).toBe(NO_PAGE);
  expect(table.pagesTaken).toBe(refs.length);
});

test("gives all its memory back, page by page and at the end", () => {
  const { memory, table } = tableWith(1, 5000, REF_MAX);
  const before = memory.bytesTaken;
  table.clear(REF_MAX);
  table.releasePage(REF_MAX);
  table.releasePage(5000); // A series in it is known.
  expect(table.pagesTaken).toBe(2);
  expect(memory.bytesTaken).toBeLessThan(before);
  expect(table.pageOf(REF_MAX)).toBe(NO_PAGE);
  table.dispose();
  expect(memory.bytesTaken).toBe(0);
});

test("reaches the highest ref at once: a damaged record may name it", () => {
  let bestMs = Infinity;
  for (let i = 0; i < 4; i += 1) {
    const begin = performance.now();
    tableWith(REF_MAX);
    bestMs = Math.min(bestMs, performance.now() - begin);
  }
  expect(bestMs).toBeLessThan(250); // It was 400 and more.
});
