import { keyOf, makeRandom, makeRecordBuffer } from "@varve/bytes";
import { certify, checked } from "@varve/conformance";
import { OUT_OF_ORDER } from "@varve/contracts";
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

certify(refRecord(), { test });
certify(checked(refRecord()), { test });

const codec = await refRecord().open({});
const ONE = 0x3ff0000000000000n;
const TWO = 0x4000000000000000n;
const UP: Row = {
  ref: 1,
  time: 1000,
  bits: ONE,
  labels: { __name__: "up", job: "x" },
  isNew: true,
};

/** What a reader of a log of these rows has to be told. */
function expected(rows: readonly Row[]): Told[] {
  const accepted = rows.filter(({ status }) => status === undefined || status === 1);
  return [
    ...accepted
      .filter(({ isNew }) => isNew === true)
      .map((row) => ({ series: row.ref, labels: row.labels! })),
    ...accepted.map(({ ref, time, bits }) => ({ ref, time, bits })),
  ];
}

function hex(into: readonly Uint8Array[]): string[] {
  return into.map((each) => Buffer.from(each).toString("hex"));
}

describe("ref", () => {
  test("writes the series and the samples of Prometheus' vector", () => {
    const records = recordsOf(encode(codec, [UP, { ref: 1, time: 2000, bits: TWO }]));
    expect(hex(records)).toEqual([
      "01000000000000000102085f5f6e616d655f5f027570036a6f620178",
      "02000000000000000100000000000003e800003ff000000000000000d00f4000000000000000",
    ]);
  });

  test("tells what was encoded, whatever the refs, times, bits and labels", () => {
    fc.assert(
      fc.property(fc.array(rowArbitrary, { maxLength: 30 }), (rows) => {
        const records = recordsOf(encode(codec, rows));
        expect(decodeAll(codec, records)).toEqual(expected(rows));
        for (const record of records) expect(record[0]).toBeLessThanOrEqual(2);
      }),
      { numRuns: 300 },
    );
  });

  test("writes one series record and one samples record a batch, and nothing for no accepted row", () => {
    const refused: Row = { ...UP, status: OUT_OF_ORDER };
    expect(encode(codec, []).count).toBe(0);
    expect(encode(codec, [refused, refused]).count).toBe(0);
    const rows = Array.from({ length: 50 }, (_, i) => ({
      ...UP,
      ref: i + 1,
      labels: { i: `${i}` },
    }));
    expect(encode(codec, [refused, ...rows]).count).toBe(2);
    expect(
      encode(
        codec,
        rows.map((row) => ({ ...row, isNew: false })),
      ).count,
    ).toBe(1);
  });

  test("begins another samples record where a time is too far from the first", () => {
    const far = Number.MAX_SAFE_INTEGER;
    const rows = [-far, -far + 1, far, far - 1, 0, -1, far].map((time) => ({
      ref: 7,
      time,
      bits: ONE,
    }));
    const records = recordsOf(encode(codec, rows));
    expect(records.length).toBe(4);
    expect(decodeAll(codec, records)).toEqual(expected(rows));
  });

  test("writes a series alone, with up to 300 labels and strings of 20,000 bytes", () => {
    for (const labels of [
      UP.labels!,
      manyLabels(127),
      manyLabels(128),
      manyLabels(300),
      { a: "b".repeat(20_000), ["c".repeat(128)]: "d" },
    ]) {
      const key = keyOf(labels);
      const padded = new Uint8Array(key.length + 9);
      padded.set(key, 4);
      const into = makeRecordBuffer({ bytes: 1 });
      codec.encodeSeries(5, padded, 4, 4 + key.length, into);
      expect(into.count).toBe(1);
      expect(decodeAll(codec, recordsOf(into))).toEqual([{ series: 5, labels }]);
    }
  });

  test("skips types that are not its own, and empty records", () => {
    for (const type of [0, 3, 4, 5, 6, 7, 8, 11, 128, 129, 130, 255]) {
      expect(codec.decode(Uint8Array.of(type, 1, 2, 3), 0, 4, {} as never)).toBe(false);
    }
    expect(codec.decode(new Uint8Array(4), 2, 2, {} as never)).toBe(false);
  });

  test("reads a samples record without samples, as Prometheus writes one", () => {
    expect(decodeAmong(codec, Uint8Array.of(2))).toEqual([]);
  });

  test("reads what the inline codec wrote", async () => {
    const inline = await inlineRecord().open({});
    const records = recordsOf(encode(inline, [UP, { ref: 1, time: 2000, bits: TWO }]));
    expect(decodeAll(codec, records)).toEqual([
      { series: 1, labels: UP.labels },
      { ref: 1, time: 1000, bits: ONE },
      { ref: 1, time: 2000, bits: TWO },
    ]);
  });

  test.each([
    ["a ref of 0", "01 0000000000000000 01 0161 0162"],
    ["a ref above 2^32-1", "01 0000000100000000 01 0161 0162"],
    ["a series without labels", "01 0000000000000001 00"],
    ["an empty name", "01 0000000000000001 01 00 0162"],
    ["an empty value", "01 0000000000000001 01 0161 00"],
    ["names out of order", "01 0000000000000001 02 0162 0162 0161 0162"],
    ["a name twice", "01 0000000000000001 02 0161 0162 0161 0163"],
    ["a string that ends outside", "01 0000000000000001 01 0161 0262"],
    ["a string length of 64 bits", "01 0000000000000001 01 ffffffffffffffffff01 61"],
    ["a separator inside a string", "01 0000000000000001 01 0161 02ff62"],
    ["a lone UTF-8 continuation", "01 0000000000000001 01 0161 0180"],
    ["an overlong UTF-8 sequence", "01 0000000000000001 01 0161 02c0af"],
    ["a UTF-8 surrogate", "01 0000000000000001 01 0161 03eda080"],
    ["a cut UTF-8 sequence", "01 0000000000000001 01 0161 02e282"],
    ["a code point above U+10FFFF", "01 0000000000000001 01 0161 04f4908080"],
    ["a sample whose ref is 0", "02 0000000000000001 0000000000000000 01 00 0000000000000000"],
    [
      "a sample whose ref is above 2^32-1",
      "02 00000000ffffffff 0000000000000000 02 00 0000000000000000",
    ],
    ["a first time beyond 2^53", "02 0000000000000001 0020000000000000 00 00 0000000000000000"],
    ["a time beyond 2^53", "02 0000000000000001 001fffffffffffff 00 02 0000000000000000"],
    ["a header alone that is cut", "02 0000000000000001 00000000"],
    ["a cut value", "02 0000000000000001 0000000000000000 00 00 00000000000000"],
  ])("refuses %s with WAL_CORRUPT", (_, text) => {
    expect(decodeAmong(codec, Buffer.from(text.replaceAll(" ", ""), "hex"))).toBe("corrupt");
  });

  test("says which record is malformed and where", () => {
    const record = Buffer.from("01000000000000000001016101 62".replace(" ", ""), "hex");
    expect(() => codec.decode(record, 0, record.length, {} as never)).toThrow(
      expect.objectContaining({
        code: "WAL_CORRUPT",
        facts: expect.objectContaining({ type: 1, bytes: 14 }),
      }),
    );
  });

  test("answers 10,000 mutated and random records with sound samples, or with WAL_CORRUPT", () => {
    const seed = Date.now();
    const random = makeRandom(seed);
    const rows = Array.from({ length: 4 }, (_, i) => ({
      ...UP,
      ref: 1000 + i * 300,
      time: i * 1e9,
      labels: { ä: `${i}`, b: "€" },
    }));
    const good = recordsOf(encode(codec, rows));
    let refused = 0;
    for (let round = 0; round < 10_000; round += 1) {
      let record = random.pick(good).slice(0);
      if (round % 3 === 0) {
        record = Uint8Array.from({ length: random.below(40) }, () => random.word());
        if (record.length > 0) record[0] = random.pick([1, 2, 131]);
        if (random.chance(0.5)) record.fill(0, 1, 8); // A ref that can be.
      } else if (round % 3 === 1) {
        record = record.slice(0, random.below(record.length));
      } else {
        record[1 + random.below(record.length - 1)]! ^= 1 << random.below(8);
      }
      const told = decodeAmong(codec, record);
      if (told === "corrupt") refused += 1;
      else {
        for (const each of told) {
          const ref = "ref" in each ? each.ref : each.series;
          if (!(ref > 0 && ref < 2 ** 32)) throw new Error(`seed ${seed}: ref ${ref}`);
          if ("time" in each && !Number.isSafeInteger(each.time))
            throw new Error(`seed ${seed}: time`);
        }
      }
    }
    expect(refused, `seed ${seed}`).toBeGreaterThan(2000);
    expect(refused, `seed ${seed}`).toBeLessThan(9500);
  });
});
