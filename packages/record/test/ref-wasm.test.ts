import { makeRandom, makeRecordBuffer, reserveMemory } from "@varve/bytes";
import { certify, checked } from "@varve/conformance";
import { NO_OFFSET, type Labels } from "@varve/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { refRecord } from "../src/ref.ts";
import { refWasmRecord } from "../src/ref-wasm.ts";
import { encode, manyLabels, memory, recordsOf, rowArbitrary, type Row } from "./harness.ts";

certify(refWasmRecord(), { test });
certify(checked(refWasmRecord()), { test });

const plain = await refRecord().open({});
const codec = await refWasmRecord().open({ memory });

/** The records of both, which are the same. */
function expectSame(rows: readonly Row[]): Uint8Array[] {
  using into = makeRecordBuffer({ bytes: 64, memory });
  const records = recordsOf(encode(codec, rows, into));
  expect(into.bytes.buffer).toBe(memory.wasm.buffer);
  expect(records).toEqual(recordsOf(encode(plain, rows)));
  return records;
}

const row = (ref: number, labels: Labels): Row => ({ ref, time: 5, bits: 7n, labels, isNew: true });

describe("ref-wasm: byte for byte what ref writes", () => {
  test("whatever the refs, times, bits, labels and statuses", () => {
    fc.assert(
      fc.property(fc.array(rowArbitrary, { maxLength: 30 }), (rows) => {
        expectSame(rows);
      }),
      { numRuns: 300 },
    );
  });

  test("for strings of every length up to 300, and up to 300 labels", () => {
    for (let length = 1; length <= 300; length += 1) {
      const text = "x".repeat(length);
      expectSame([row(3, { [text]: text })]); // No other length beside it.
      expectSame([row(1, { [text]: "a", b: text }), row(2, { a: "b", c: text, d: text })]);
    }
    for (const count of [1, 5, 126, 127, 128, 129, 255, 256, 300])
      expectSame([row(3, manyLabels(count))]);
    expectSame([row(4, { a: "b".repeat(20_000), ["c".repeat(128)]: "ä€😀" })]);
  });

  test("for refs and times at both ends of their range, in several records where they lie too far apart", () => {
    const far = Number.MAX_SAFE_INTEGER;
    const times = [-far, -far + 1, far, far - 1, 0, -1, far, 1, -1, 64, -64, 8192, -8193, 2 ** 31];
    const rows = times.map((time, i) => ({ ref: i % 2 === 0 ? 1 : 2 ** 32 - 1, time, bits: 1n }));
    expect(expectSame(rows).length).toBeGreaterThan(3);
  });

  test("for thousands of rows of random series", () => {
    const seed = Date.now();
    const random = makeRandom(seed);
    const rows = Array.from({ length: 3000 }, (_, i): Row => ({
      ref: 1 + random.below(random.pick([100, 2 ** 31])),
      time: random.below(2 ** random.below(50)),
      bits: (BigInt(random.word()) << 32n) | BigInt(random.word()),
      ...(random.chance(0.2) && {
        labels: { i: `${i}`, [`n${random.below(9)}`]: "x".repeat(random.below(40) + 1) },
        isNew: true,
      }),
    }));
    expectSame(rows);
  });
});

test("does as ref does in a buffer that lies elsewhere, or that has left a full memory", () => {
  const rows = [row(1, { a: "b" }), row(2, { a: "c" })];
  expect(recordsOf(encode(codec, rows))).toEqual(recordsOf(encode(plain, rows)));
  const full = reserveMemory({ bytesMax: 65_536 });
  using into = makeRecordBuffer({ bytes: 1024, memory: full });
  while (full.take(64) !== NO_OFFSET);
  into.reserve(2000);
  expect(into.bytes.buffer).not.toBe(full.wasm.buffer);
  expect(recordsOf(encode(codec, rows, into))).toEqual(recordsOf(encode(plain, rows)));
});

test("is refused without a memory", () => {
  expect(() => refWasmRecord().open({})).toThrow(expect.objectContaining({ code: "PLAN" }));
});
