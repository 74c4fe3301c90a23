import { keyOf, makeRandom, makeRecordBuffer } from "@varve/bytes";
import { certify, checked } from "@varve/conformance";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inlineRecord } from "../src/inline.ts";
import { refRecord } from "../src/ref.ts";
import {
  decodeAll,
  decodeAmong,
  encode,
  manyLabels,
  recordsOf,
  rowArbitrary,
  type Row,
  type Told,
} from "./harness.ts";

certify(inlineRecord(), { test });
certify(checked(inlineRecord()), { test });

const codec = await inlineRecord().open({});
const ONE = 0x3ff0000000000000n;
const UP: Row = { ref: 1, time: 1000, bits: ONE, labels: { __name__: "up", job: "x" } };

/** Labels, where a row has them, then its sample: row by row. */
function expected(rows: readonly Row[]): Told[] {
  return rows
    .filter(({ status }) => status === undefined || status === 1)
    .flatMap(({ ref, time, bits, labels }) => [
      ...(labels === undefined ? [] : [{ series: ref, labels }]),
      { ref, time, bits },
    ]);
}

describe("inline", () => {
  test("writes each accepted row as a record with its labels, new or not", () => {
    const records = recordsOf(
      encode(codec, [UP, { ...UP, time: 2000, status: 3 }, { ...UP, labels: undefined }]),
    );
    expect(records.map((each) => Buffer.from(each).toString("hex"))).toEqual([
      "83000000000000000102085f5f6e616d655f5f027570036a6f620178d00f3ff0000000000000",
      "83000000000000000100d00f3ff0000000000000",
    ]);
    expect(encode(codec, []).count).toBe(0);
  });

  test("tells what was encoded, whatever the refs, times, bits and labels", () => {
    const row = fc.oneof(
      rowArbitrary,
      rowArbitrary.map((each) => ({ ...each, labels: undefined })),
    );
    fc.assert(
      fc.property(fc.array(row, { maxLength: 30 }), (rows) => {
        expect(decodeAll(codec, recordsOf(encode(codec, rows)))).toEqual(expected(rows));
      }),
      { numRuns: 300 },
    );
  });

  test("writes a checkpoint's series as the ref codec does, with up to 300 labels", async () => {
    const other = await refRecord().open({});
    for (const labels of [UP.labels!, manyLabels(300)]) {
      const key = keyOf(labels);
      const [into, same] = [makeRecordBuffer({ bytes: 1 }), makeRecordBuffer({ bytes: 1 })];
      codec.encodeSeries(5, key, 0, key.length, into);
      other.encodeSeries(5, key, 0, key.length, same);
      expect(recordsOf(into)).toEqual(recordsOf(same));
      expect(decodeAll(codec, recordsOf(into))).toEqual([{ series: 5, labels }]);
    }
  });

  test("reads what the ref codec wrote", async () => {
    const ref = await refRecord().open({});
    const records = recordsOf(encode(ref, [{ ...UP, isNew: true }]));
    expect(decodeAll(codec, records)).toEqual(expected([UP]));
  });

  test.each([
    ["a ref of 0", "83 0000000000000000 00 00 0000000000000000"],
    ["bytes behind the value", "83 0000000000000001 00 00 0000000000000000 00"],
    ["a cut value", "83 0000000000000001 00 00 00000000000000"],
    ["a time beyond 2^53", "83 0000000000000001 00 ffffffffffffffffff01 0000000000000000"],
    ["more labels than there are bytes", "83 0000000000000001 ff7f 0161 0162 00 0000000000000000"],
    ["an empty value", "83 0000000000000001 01 0161 00 00 0000000000000000"],
  ])("refuses %s with WAL_CORRUPT", (_, text) => {
    expect(decodeAmong(codec, Buffer.from(text.replaceAll(" ", ""), "hex"))).toBe("corrupt");
  });

  test("tells nothing of a row that is malformed, not even its series", () => {
    const told: unknown[] = [];
    const [record] = recordsOf(encode(codec, [UP]));
    const visitor = { series: () => told.push("series"), samples: () => told.push("samples") };
    expect(() => codec.decode(record!, 0, record!.length - 1, visitor)).toThrow("another length");
    expect(told).toEqual([]);
  });

  test("answers 10,000 mutated records with the types it promises, or with WAL_CORRUPT", () => {
    const seed = Date.now();
    const random = makeRandom(seed);
    const [good] = recordsOf(encode(codec, [UP]));
    let refused = 0;
    for (let round = 0; round < 10_000; round += 1) {
      const record = good!.slice(
        0,
        round % 2 === 0 ? good!.length : random.below(good!.length + 1),
      );
      for (let i = random.below(3); i >= 0 && record.length > 0; i -= 1) {
        record[random.below(record.length)] = random.word();
      }
      if (record.length > 0) record[0] = 131;
      if (decodeAmong(codec, record) === "corrupt") refused += 1;
    }
    expect(refused, `seed ${seed}`).toBeGreaterThan(2000);
    expect(refused, `seed ${seed}`).toBeLessThan(10_000);
  });
});
