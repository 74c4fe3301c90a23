import { endOfPart, keyOf, labelsOf } from "@varve/bytes";
import { isStorageError, type Labels } from "@varve/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const labelSets = fc.dictionary(
  text.filter((name) => name !== ""),
  text,
  { maxKeys: 8 },
);

describe("a key", () => {
  test("is the labels sorted by UTF-8 bytes, each part ended by 0xFF", () => {
    const key = keyOf({ "\uE000": "b", "😀": "c", a: "1", "": "no name is refused elsewhere" });
    const expected = "\0no name is refused elsewhere\0a\x001\0\uE000\0b\0😀\0c\0".replace("\0", "");
    expect(Buffer.from(key.map((byte) => (byte === 0xff ? 0 : byte))).toString()).toBe(
      `\0${expected}`,
    );
  });

  test("leaves out empty values, and is empty for no labels", () => {
    expect(keyOf({ a: "", b: "x" })).toEqual(keyOf({ b: "x" }));
    expect(keyOf({})).toEqual(new Uint8Array(0));
  });

  test("is decoded to the labels it was made from", () => {
    fc.assert(
      fc.property(labelSets, fc.nat(4), (labels, at) => {
        const key = keyOf(labels);
        const bytes = new Uint8Array(at + key.length + 3).fill(0xff);
        bytes.set(key, at);
        const expected = Object.entries(labels).filter(([, value]) => value !== "");
        const decoded = labelsOf(bytes, at, at + key.length);
        expect(new Map(Object.entries(decoded))).toEqual(new Map(expected));
        expect(keyOf(decoded)).toEqual(key);
      }),
    );
  });

  test("of a label named __proto__ holds it, both ways", () => {
    const labels = JSON.parse('{"__proto__":"x"}') as Labels;
    const key = keyOf(labels);
    expect(Object.entries(labelsOf(key, 0, key.length))).toEqual([["__proto__", "x"]]);
  });

  test("cannot be made of a lone surrogate: LABELS names the label", () => {
    for (const labels of [{ a: "b\uD800" }, { a: "x", "c\uDC00": "d" }] as Labels[]) {
      const error = errorOf(() => keyOf(labels));
      expect(isStorageError(error, "LABELS") && error.facts["label"]).toBe(
        Object.keys(labels).at(-1),
      );
    }
  });
});

test.each([
  ["ends inside a name", [0x61]],
  ["ends behind a name", [0x61, 0xff]],
  ["ends inside a value", [0x61, 0xff, 0x62]],
  ["is not UTF-8", [0xc3, 0xff, 0x62, 0xff]],
  ["holds a surrogate", [0x61, 0xff, 0xed, 0xa0, 0x80, 0xff]],
])("bytes that are no key (%s) are LABELS", (_, bytes) => {
  const error = errorOf(() => labelsOf(Uint8Array.from(bytes), 0, bytes.length));
  expect(isStorageError(error, "LABELS"), String(error)).toBe(true);
});

test("a part ends at its separator, not at one behind the key", () => {
  const bytes = Uint8Array.of(0x61, 0x62, 0xff, 0x63, 0xff);
  expect([endOfPart(bytes, 0, 5), endOfPart(bytes, 2, 5), endOfPart(bytes, 3, 5)]).toEqual([
    2, 2, 4,
  ]);
  expect(() => endOfPart(bytes, 3, 4)).toThrow("ends inside a label");
});

function errorOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
