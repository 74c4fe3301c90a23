import { keyOf, makeBatch, makeRandom, reserveMemory } from "@varve/bytes";
import type { Labels, Variant } from "@varve/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encode, keyBytes, nextLabels, openKey, refusalOf, shuffle, smallBatch } from "./keys.ts";

const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }) },
  { weight: 4, arbitrary: fc.string({ unit: "grapheme-ascii", maxLength: 60 }) },
  // Where the order of UTF-16 units and of UTF-8 bytes differ, and where integers are reordered.
  {
    weight: 2,
    arbitrary: fc.constantFrom("\uE000", "\uFFFD", "😀", "\u{10FFFF}", "é", "1", "10", "2"),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("__proto__", "constructor", "hasOwnProperty", "toString"),
  },
);
const entries = fc.uniqueArray(
  fc.tuple(
    text.filter((name) => name !== ""),
    text,
  ),
  {
    selector: ([name]) => name,
    minLength: 1,
    maxLength: 12,
  },
);

/** The promises of the slot, which both variants keep in the same words. */
export function describeKeys(make: () => Variant<"label-key">): void {
  describe("keys", () => {
    test("are what the plain definition says, in whatever order labels are given", () => {
      const encoder = openKey(make());
      const batch = smallBatch();
      fc.assert(
        fc.property(entries, fc.nat(), (labels, seed) => {
          fc.pre(labels.some(([, value]) => value !== ""));
          batch.clear();
          const expected = keyOf(Object.fromEntries(labels));
          const shuffled = Object.fromEntries(shuffle(labels, makeRandom(seed)));
          expect(encode(encoder, batch, Object.fromEntries(labels))).toEqual(expected);
          expect(encode(encoder, batch, shuffled)).toEqual(expected);
        }),
        { numRuns: 500 },
      );
    });

    test("follow UTF-8 bytes where UTF-16 units would order names otherwise", () => {
      const key = encode(openKey(make()), smallBatch(), { "😀": "a", "\uE000": "b", z: "c" });
      expect(key).toEqual(keyBytes("z", "c", "\uE000", "b", "😀", "a"));
    });

    test("sort names that look like integers as text", () => {
      const key = encode(openKey(make()), smallBatch(), { a: "x", 2: "two", 10: "ten", 1: "one" });
      expect(key).toEqual(keyBytes("1", "one", "10", "ten", "2", "two", "a", "x"));
    });

    test("hold own labels that are named like members of Object.prototype", () => {
      const labels = JSON.parse('{"toString":"t","__proto__":"p","constructor":"c"}') as Labels;
      const key = encode(openKey(make()), smallBatch(), labels);
      expect(key).toEqual(keyBytes("__proto__", "p", "constructor", "c", "toString", "t"));
    });

    test("leave out what is inherited, not enumerable, a symbol or empty", () => {
      const labels = Object.create({ inherited: "x" }) as Record<string | symbol, string>;
      Object.defineProperty(labels, "hidden", { value: "x", enumerable: false });
      labels[Symbol("s")] = "x";
      labels["empty"] = "";
      labels["kept"] = "y";
      expect(encode(openKey(make()), smallBatch(), labels)).toEqual(keyBytes("kept", "y"));
    });

    test("are the same from objects without a prototype and from frozen ones", () => {
      const bare = Object.assign(Object.create(null), { b: "2", a: "1" }) as Labels;
      const encoder = openKey(make());
      const expected = keyBytes("a", "1", "b", "2");
      expect(encode(encoder, smallBatch(), bare)).toEqual(expected);
      expect(encode(encoder, smallBatch(), Object.freeze({ b: "2", a: "1" }))).toEqual(expected);
    });

    test("are right from objects that their owner changes between calls", () => {
      const labels: Record<string, string> = { a: "1", b: "2", c: "3" };
      const encoder = openKey(make());
      const batch = smallBatch();
      for (const change of [{}, { b: "two" }, { c: "" }, { c: "4", d: "5" }, { a: "", b: "" }]) {
        Object.assign(labels, change);
        expect(encode(encoder, batch, labels)).toEqual(keyOf(labels));
      }
      delete labels["d"];
      expect(encode(encoder, batch, labels)).toEqual(keyOf(labels));
    });

    test("do not depend on the bytes of earlier rows, which their owner may overwrite", () => {
      const encoder = openKey(make());
      const batch = smallBatch();
      const labels = { host: "a".repeat(80), job: "b" };
      encode(encoder, batch, labels);
      encode(encoder, batch, labels);
      batch.keys.fill(0x58);
      expect(encode(encoder, batch, labels)).toEqual(keyOf(labels));
      expect(encode(encoder, smallBatch(), { ...labels, job: "c" })).toEqual(
        keyOf({ ...labels, job: "c" }),
      );
    });

    test("at every limit are written", () => {
      const limits = { labelsMax: 2, nameBytesMax: 4, valueBytesMax: 6 };
      const encoder = openKey(make(), limits);
      const sets: Labels[] = [{ "😀": "ééé", b: "c" }, { name: "values", "": "" }, { a: "€€" }];
      for (const labels of sets) {
        expect(encode(encoder, smallBatch(), labels)).toEqual(keyOf(labels));
      }
    });

    test("are right where a long value follows short ones, with labels that stay the same", () => {
      const encoder = openKey(make());
      const batch = smallBatch();
      const labels = { a: "stays the same", m: "short", z: "stays the same, too" };
      for (const m of [
        "short",
        "other",
        "x".repeat(2000),
        "y".repeat(2000),
        "z".repeat(4000),
        "w",
      ]) {
        expect(encode(encoder, batch, { ...labels, m })).toEqual(keyOf({ ...labels, m }));
      }
    });

    test("of 64 labels of the longest names and values fit a batch that grows for them", () => {
      const labels: Record<string, string> = {};
      for (let i = 0; i < 64; i += 1) {
        labels[`${i}`.padStart(256, "n")] = (i % 2 === 0 ? "€" : "v").repeat(1365);
      }
      const encoder = openKey(make());
      const batch = smallBatch(2);
      encode(encoder, batch, { a: "first" });
      expect(encode(encoder, batch, labels)).toEqual(keyOf(labels));
      expect(batch.keys.slice(0, batch.keyAt[1])).toEqual(keyOf({ a: "first" }));
    });

    test("survive a model of thousands of random sets over few names and values", () => {
      const random = makeRandom(0x5eed);
      const encoder = openKey(make());
      const batch = smallBatch();
      let labels: Record<string, string> = { a: "1" };
      for (let step = 0; step < 20_000; step += 1) {
        if (batch.length === batch.capacity) batch.clear();
        labels = nextLabels(random, labels);
        const got = encode(encoder, batch, labels);
        const same = Buffer.compare(got, keyOf(labels)) === 0;
        expect(same, `seed ${random.seed}, step ${step}: ${JSON.stringify(labels)}`).toBe(true);
      }
    });
  });

  describe("a refusal", () => {
    const limits = { labelsMax: 3, nameBytesMax: 8, valueBytesMax: 10 };
    const refused: readonly (readonly [string, unknown, object])[] = [
      ["no labels", {}, {}],
      ["null", null, {}],
      ["a string", "ab", {}],
      ["nothing but empty values", { a: "", b: "" }, {}],
      ["an empty name", { a: "b", "": "x" }, { label: "" }],
      ["a lone surrogate in a name", { "a\uD800": "x" }, { label: "a\uD800" }],
      ["a lone surrogate in a value", { a: "\uDC00b" }, { label: "a" }],
      ["a lone surrogate at the end of a value", { a: "b\uDBFF" }, { label: "a" }],
      ["a number", { a: "x", b: 1 }, { label: "b" }],
      ["undefined", { a: undefined }, { label: "a" }],
      ["a String object", { a: Object("x") as unknown }, { label: "a" }],
      [
        "a name too long in bytes",
        { ééééa: "x" },
        { label: "ééééa", limit: "nameBytesMax", value: 9, max: 8 },
      ],
      [
        "a value too long in bytes",
        { a: "x", b: "€€€ab" },
        { label: "b", limit: "valueBytesMax", value: 11, max: 10 },
      ],
      [
        "an ASCII value too long",
        { a: "x".repeat(11) },
        { label: "a", limit: "valueBytesMax", value: 11, max: 10 },
      ],
      [
        "too many labels",
        { a: "1", b: "2", e: "", c: "3", d: "4" },
        { label: "d", limit: "labelsMax", value: 4, max: 3 },
      ],
    ];

    test.each(refused)(
      "for %s is LABELS, names the label and writes no row",
      (_, labels, facts) => {
        const encoder = openKey(make(), limits);
        const batch = smallBatch();
        const before = encode(encoder, batch, { a: "1", b: "2" });
        for (let again = 0; again < 2; again += 1) {
          const row = batch.add(0, 0);
          const error = refusalOf(() => encoder.encode(labels as Labels, batch, row));
          expect(error.facts).toEqual(facts);
          if ("label" in facts && facts.label !== "") {
            expect(error.message).toContain(JSON.stringify(facts.label));
          }
          expect(batch.keyAt[row + 1]).toBe(batch.keyAt[row]);
        }
        batch.length = 1;
        expect(encode(encoder, batch, { a: "1", b: "3" })).toEqual(keyOf({ a: "1", b: "3" }));
        expect(batch.keys.slice(0, batch.keyAt[1])).toEqual(before);
      },
    );

    test("finds what is wrong in long values, too, which are written natively", () => {
      const encoder = openKey(make(), { ...limits, valueBytesMax: 100 });
      const batch = smallBatch();
      encode(encoder, batch, { a: "x" });
      const row = batch.add(0, 0);
      for (const value of [`${"x".repeat(40)}\uD800`, `\uDC00${"é".repeat(30)}`, "€".repeat(34)]) {
        const error = refusalOf(() => encoder.encode({ a: value }, batch, row));
        expect(error.facts).toMatchObject({ label: "a" });
      }
    });

    test("repeats at most 200 bytes of what it was given", () => {
      const encoder = openKey(make());
      const batch = smallBatch();
      const row = batch.add(0, 0);
      for (const labels of [{ ["€".repeat(9000)]: "x" }, { a: "y".repeat(1e6) }]) {
        const { message } = refusalOf(() => encoder.encode(labels, batch, row));
        expect(Buffer.byteLength(message)).toBeLessThan(300);
      }
    });

    test("of memory is LIMIT and leaves the row without a key", () => {
      const memory = reserveMemory({ bytesMax: 65_536 });
      const batch = makeBatch(memory, 8);
      const encoder = openKey(make());
      encode(encoder, batch, { a: "x" });
      const row = batch.add(0, 0);
      const big: Record<string, string> = {};
      for (let i = 0; i < 40; i += 1) big[`n${i}`] = "v".repeat(4096);
      expect(() => encoder.encode(big, batch, row)).toThrow(
        expect.objectContaining({ code: "LIMIT" }),
      );
      expect(batch.keyAt[row + 1]).toBe(batch.keyAt[row]);
      batch.length = 1;
      expect(encode(encoder, batch, { a: "y" })).toEqual(keyOf({ a: "y" }));
    });
  });
}
