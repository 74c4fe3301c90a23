import { fc, test as property } from "./property.ts";
import { expect, test } from "vitest";
import { readFloat, readFloatOrBits } from "../src/internal/float.ts";
import { textOfBits, textOfFloat, wordsOf } from "../src/internal/number-text.ts";
import { bits, bitsOf, valuesOf } from "./helpers.ts";

/** The bits that a text is read as; undefined when it is refused. */
function parse(text: string): string | undefined {
  const bytes = Buffer.from(`<${text}>`);
  const into = new Float64Array(2);
  return readFloatOrBits(bytes, 1, bytes.length - 1, into, 1) ? bitsOf(into, 1) : undefined;
}

test("reads decimals as Go does", () => {
  const texts = [
    "0", "-0", "+0", "1", "-1", "+1.5", ".5", "5.", "1e3", "1E+3", "1e-3", "1.699176e+06", "0.1", "0.30000000000000004",
    "123456789012345", "1234567890123456", "9007199254740993", "1e22", "1e23", "5e-324", "2e-324", "1.7976931348623157e308",
    "00012", "0000000000000000000000001.5", "0.00000000000000000000000001", "2.2250738585072011e-308", "1e-400", "-1e-400",
  ]; // prettier-ignore
  for (const text of texts) expect(parse(text), text).toBe(bits(Number(text)));
});

test("reads infinities and NaN as Go spells them, NaN with Prometheus' bits", () => {
  for (const text of ["Inf", "+Inf", "inf", "INFINITY", "+infinity"]) {
    expect(parse(text), text).toBe(bits(Infinity));
  }
  expect(parse("-Inf")).toBe(bits(-Infinity));
  for (const text of ["NaN", "nan", "NAN"]) expect(parse(text), text).toBe("7ff8000000000001");
});

test("reads hexadecimal floats, rounded once to even, subnormals included", () => {
  const vectors: [string, number][] = [
    ["0x1p0", 1],
    ["0x1.8p1", 3],
    ["-0X.8p1", -1],
    ["0x1.fffffffffffffp1023", Number.MAX_VALUE],
    ["0x1p-1074", 5e-324],
    ["0x1p-1075", 0], // A tie, to even.
    ["0x1.8p-1075", 5e-324],
    ["0x3p-1075", 1e-323], // A tie between 1 and 2 units, to even.
    ["0x1.00000000000008p0", 1], // A tie, to even.
    ["0x1.000000000000080001p0", 1 + 2 ** -52],
    ["0x1.00000000000018p0", 1 + 2 ** -51], // A tie, to even.
    ["0x0p99999", 0],
    ["0x100000000000000000000000000p-100", 2 ** 4],
  ];
  for (const [text, value] of vectors) expect(parse(text), text).toBe(bits(value));
});

test("reads all bits of a double, sixteen digits without an exponent", () => {
  expect(parse("0x7ff0000000000002")).toBe("7ff0000000000002");
  expect(parse("0xFFF8000000000000")).toBe("fff8000000000000");
  const bytes = Buffer.from("0x7ff0000000000002");
  expect(readFloat(bytes, 0, bytes.length, new Float64Array(1), 0)).toBe(false);
});

test("refuses what Go refuses, and what does not fit a double", () => {
  const texts = [
    "", "+", "-", ".", "e5", "1e", "1e+", "--1", "1_000", "1,5", "0x", "0x1", "0x1.8", "0xp1", "0x1p", "1e309", "-1e309",
    "0x1p1024", "+NaN", "-nan", "infin", "1 ", " 1", "1.2.3", "١", "0x7ff000000000000", "0x7ff00000000000022", "1".repeat(1200),
  ]; // prettier-ignore
  for (const text of texts) expect(parse(text), text).toBeUndefined();
});

property(
  "every double survives being written and read",
  [fc.bigInt(0n, 2n ** 64n - 1n)],
  (word) => {
    const text = word.toString(16).padStart(16, "0");
    const values = valuesOf(text);
    expect(parse(textOfBits(values, wordsOf(values), 0))).toBe(text);
    if (!Number.isNaN(values[0]!)) expect(parse(textOfFloat(values[0]!))).toBe(text);
  },
);

property(
  "any decimal is read as JavaScript reads it",
  [fc.stringMatching(/^[+-]?(\d{1,25}\.?\d{0,25}|\.\d{1,25})([eE][+-]?\d{1,3})?$/)],
  (text) => {
    const value = Number(text);
    expect(parse(text)).toBe(Number.isFinite(value) ? bits(value) : undefined);
  },
);

property("a hexadecimal float means what its digits say", [fc.double({ noNaN: true })], (value) => {
  fc.pre(Number.isFinite(value));
  const words = wordsOf(Float64Array.of(value));
  const exponent = (words[1]! >>> 20) & 0x7ff;
  const high = (words[1]! & 0xfffff).toString(16).padStart(5, "0");
  const low = words[0]!.toString(16).padStart(8, "0");
  const sign = words[1]! >>> 31 ? "-" : "";
  const head = exponent === 0 ? "0" : "1";
  const power = exponent === 0 ? -1022 : exponent - 1023;
  expect(parse(`${sign}0x${head}.${high}${low}p${power}`)).toBe(bits(value));
});
