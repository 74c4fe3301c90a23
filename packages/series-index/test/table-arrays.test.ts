import { reserveMemory } from "@varve/bytes";
import { expect, test } from "vitest";
import { Segments } from "../src/segments.ts";
import { HEAP_ARRAYS, LinearArrays } from "../src/table-arrays.ts";

const SEGMENT_BYTES = 8192;

test("arrays lie in the memory while it has room, zeroed, and on the heap after", () => {
  const memory = reserveMemory({ bytesMax: 2 ** 16 });
  const arrays = new LinearArrays(memory);
  const made = [arrays.words(5), arrays.shorts(7), arrays.bytes(9)];
  for (const array of made) {
    expect(arrays.isLinear(array)).toBe(true);
    array.fill(255);
  }
  expect(memory.bytesTaken).toBe(3 * 64);
  for (const array of made) arrays.give(array);
  expect(memory.bytesTaken).toBe(0);
  expect([...arrays.words(2), ...arrays.shorts(2), ...arrays.bytes(2)]).toEqual(Array(6).fill(0));
  const large = [arrays.words(2 ** 14), arrays.shorts(2 ** 15), arrays.bytes(2 ** 16)];
  for (const array of large) {
    expect(arrays.isLinear(array)).toBe(false);
    arrays.give(array);
  }
  expect(large.map((array) => array.length)).toEqual([2 ** 14, 2 ** 15, 2 ** 16]);
  expect(memory.bytesTaken).toBe(3 * 64);
});

test.each([
  ["on the heap", false],
  ["in the memory", true],
])("a directory %s widens, narrows and gives all back", (_, isLinear) => {
  const memory = reserveMemory({ bytesMax: 2 ** 22 });
  const segments = new Segments(memory, isLinear ? new LinearArrays(memory) : HEAP_ARRAYS);
  expect(segments.open(1)).toBe(true);
  const opened = memory.bytesTaken;
  const starts = new Set<number>();
  for (let place = 0; place < 256; place += 1) {
    while (segments.depths[segments.number(place)]! < 8) segments.split(place);
  }
  for (let place = 0; place < 256; place += 1) starts.add(segments.start(place));
  expect(starts.size).toBe(256);
  expect(segments.isLinear).toBe(isLinear);
  expect(segments.mask).toBe(255);
  const segmentsBytes = 256 * SEGMENT_BYTES;
  expect(memory.bytesTaken).toBe(segmentsBytes + (isLinear ? 2 * 256 * 4 + 256 * 2 + 256 : 0));
  for (let bit = 128; bit > 1; bit >>= 1) {
    for (let place = 0; place < bit; place += 1) segments.merge(place);
  }
  expect(segments.mask).toBeLessThan(8);
  expect(segments.isLinear).toBe(isLinear);
  expect(memory.bytesTaken).toBeLessThanOrEqual(opened + 512 + 256);
  segments.dispose();
  expect(memory.bytesTaken).toBe(0);
});

test("a directory that finds no room grows on the heap, and comes back when there is some", () => {
  const memory = reserveMemory({ bytesMax: 2 ** 17 });
  const segments = new Segments(memory, new LinearArrays(memory));
  segments.open(0);
  for (let depth = 0; depth < 4; depth += 1) segments.split(0); // Sixteen entries of 4 bytes: a line.
  const room = memory.take(SEGMENT_BYTES);
  const more = memory.take(SEGMENT_BYTES);
  while (memory.take(64) !== 0);
  memory.give(room, SEGMENT_BYTES);
  expect(segments.isLinear).toBe(true);
  const version = segments.version;
  expect(segments.split(0)).toBeGreaterThan(0);
  expect([segments.isLinear, segments.mask]).toEqual([false, 31]);
  expect(segments.version).toBeGreaterThan(version);
  memory.give(more, SEGMENT_BYTES);
  const taken = memory.bytesTaken;
  expect(segments.split(0)).toBeGreaterThan(0);
  expect(segments.isLinear).toBe(false);
  for (let depth = 0; depth < 4; depth += 1) segments.merge(0);
  expect([segments.isLinear, segments.mask]).toEqual([true, 7]);
  expect(memory.bytesTaken).toBeLessThan(taken);
});
