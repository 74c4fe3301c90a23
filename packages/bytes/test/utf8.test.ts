import { readUtf8, utf8BytesMax, writeUtf8 } from "@varve/bytes";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

describe("writeUtf8", () => {
  test("writes what TextEncoder writes, and nothing around it", () => {
    const encoder = new TextEncoder();
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));
    fc.assert(
      fc.property(text, fc.nat(5), (written, at) => {
        const expected = encoder.encode(written);
        const bytes = new Uint8Array(at + utf8BytesMax(written.length) + 3).fill(0xee);
        const end = writeUtf8(bytes, at, written);
        expect(bytes.slice(at, end)).toEqual(expected);
        expect(bytes.subarray(0, at).every((byte) => byte === 0xee)).toBe(true);
        expect(bytes.subarray(end).every((byte) => byte === 0xee)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff])(
    "writes the code point %i, at the edge of a length",
    (point) => {
      const text = String.fromCodePoint(point);
      const bytes = new Uint8Array(8);
      expect(bytes.slice(0, writeUtf8(bytes, 0, text))).toEqual(new TextEncoder().encode(text));
    },
  );

  test.each([
    "\uD800",
    "\uDC00",
    "a\uD800",
    "\uD800a",
    "\uDBFF\uD800\uDC00",
    "\uDC00\uD800",
    "😀\uDFFF",
  ])("answers -1 for %j, which holds a lone surrogate", (text) => {
    expect(writeUtf8(new Uint8Array(64), 0, text)).toBe(-1);
  });

  test("finds a lone surrogate exactly where there is one", () => {
    const unit = fc.constantFrom("a", "é", "\uD800", "\uDBFF", "\uDC00", "\uDFFF", "\uE000");
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 8 }), (text) => {
        const valid = Buffer.from(text).toString() === text;
        expect(writeUtf8(new Uint8Array(64), 0, text) >= 0).toBe(valid);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("readUtf8", () => {
  test("reads back what was written, from shared memory too, a byte order mark included", () => {
    for (const text of ["", "abc", "é€😀", "\uFEFFmark"]) {
      const bytes = new Uint8Array(new SharedArrayBuffer(64));
      const end = writeUtf8(bytes, 2, text);
      expect(readUtf8(bytes, 2, end)).toBe(text);
    }
  });

  test.each([[[0xff]], [[0xc3]], [[0xed, 0xa0, 0x80]], [[0xc0, 0x80]], [[0xf4, 0x90, 0x80, 0x80]]])(
    "refuses the malformed bytes %j",
    (bytes) => {
      expect(() => readUtf8(Uint8Array.from(bytes), 0, bytes.length)).toThrow(TypeError);
    },
  );
});
