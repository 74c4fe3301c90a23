import { makeColumns, makeRandom, makeRecordBuffer } from "@varve/bytes";
import { describe, expect, test } from "vitest";

describe("a record buffer", () => {
  test("keeps every record while it grows", () => {
    const random = makeRandom(23);
    const buffer = makeRecordBuffer({ bytes: 16 });
    const records: number[][] = [];
    for (let i = 0; i < 500; i += 1) {
      const record = Array.from({ length: random.below(100) }, () => random.below(256));
      buffer.reserve(record.length);
      buffer.bytes.set(record, buffer.length);
      buffer.length += record.length;
      buffer.endRecord();
      records.push(record);
    }
    expect(buffer.count).toBe(500);
    records.forEach((record, i) => {
      const from = i === 0 ? 0 : buffer.ends[i - 1]!;
      expect([...buffer.bytes.subarray(from, buffer.ends[i])]).toEqual(record);
    });
    buffer.clear();
    expect([buffer.length, buffer.count]).toEqual([0, 0]);
  });

  test("does not move while there is room", () => {
    const buffer = makeRecordBuffer({ bytes: 16 });
    const { bytes } = buffer;
    buffer.length = 10;
    buffer.reserve(6);
    expect(buffer.bytes).toBe(bytes);
    buffer.reserve(7);
    expect(buffer.bytes.length).toBe(32);
    buffer.reserve(1000);
    expect(buffer.bytes.length).toBe(1010);
  });
});

describe("columns", () => {
  test("keep samples, and the bits of NaNs, while they grow", () => {
    const columns = makeColumns({ capacity: 1 });
    const stale = new Float64Array(Uint32Array.of(2, 0x7ff00000).buffer);
    for (let i = 0; i < 1000; i += 1) {
      columns.reserve(1);
      columns.times[columns.length] = i;
      columns.values.set(stale, columns.length);
      columns.length += 1;
    }
    expect([...columns.times.subarray(0, 1000)]).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    const words = new Uint32Array(columns.values.buffer);
    for (let i = 0; i < 1000; i += 1) {
      expect([words[2 * i], words[2 * i + 1]]).toEqual([2, 0x7ff00000]);
    }
  });

  test("make room for all that is asked for, even from nothing", () => {
    const columns = makeColumns({ capacity: 0 });
    columns.reserve(0);
    columns.reserve(5);
    expect([columns.times.length, columns.values.length]).toEqual([5, 5]);
  });
});
