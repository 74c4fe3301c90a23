import { compareBytes, compareUtf8, equalBytes } from "@varve/bytes";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

/** Text with many of the characters that UTF-16 and UTF-8 order differently. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom("a", "b", "é", "\u07FF", "\u0800", "\uD7FF", "\uE000", "\uFFFD", "\uFFFF"),
    fc.constantFrom("\u{10000}", "😀", "😁", "\u{1FFFF}", "\u{10FFFF}"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
  maxLength: 6,
});

describe("compareUtf8", () => {
  test("orders strings as their UTF-8 bytes order", () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const expected = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Math.sign(compareUtf8(a, b))).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  test("puts the end of the BMP before what lies beyond it, which UTF-16 does not", () => {
    expect(["\uE000", "😀"].toSorted()).toEqual(["😀", "\uE000"]);
    expect(compareUtf8("\uE000", "😀")).toBeLessThan(0);
    expect(compareUtf8("x\uFFFF", "x\u{10000}")).toBeLessThan(0);
    expect(compareUtf8("😀", "😁")).toBeLessThan(0);
    expect(compareUtf8("\uD7FF", "\uE000")).toBeLessThan(0);
  });
});

const bytes = fc.uint8Array({ max: 3, maxLength: 6 });

describe("compareBytes and equalBytes", () => {
  test("agree with Buffer.compare, wherever the ranges lie", () => {
    fc.assert(
      fc.property(bytes, bytes, fc.nat(3), fc.nat(3), (a, b, before, behind) => {
        const padded = Uint8Array.from([
          ...Array<number>(before).fill(9),
          ...b,
          ...Array<number>(behind).fill(9),
        ]);
        const until = before + b.length;
        const expected = Buffer.compare(a, b);
        expect(Math.sign(compareBytes(a, 0, a.length, padded, before, until))).toBe(expected);
        expect(equalBytes(a, 0, a.length, padded, before, until)).toBe(expected === 0);
      }),
    );
  });

  test("take bytes for unsigned", () => {
    expect(compareBytes(Uint8Array.of(0xff), 0, 1, Uint8Array.of(1), 0, 1)).toBeGreaterThan(0);
  });
});
