import { asciiText, DOT, MINUS, NINE, PLUS, ZERO } from "./ascii.ts";

/** Longest number that is looked at, in bytes: the longest exact decimal of a double has 1,077. */
const NUMBER_BYTES_MAX = 1100;
/** Decimal digits whose integer is exact in a double, whatever they are. */
const EXACT_DIGITS = 15;
/** Powers of ten that are exact in a double: with an exact integer, one operation rounds once. */
const POWERS = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));

const LETTER_E = 0x65;
const TO_LOWER = 0x20;

/** How Go's strconv.ParseFloat spells what is no digits; a sign goes with infinity only. */
const INFINITY = /^([+-]?)inf(?:inity)?$/i;
const NOT_A_NUMBER = /^nan$/i;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const HEX = /^([+-]?)0x([\da-f]*)\.?([\da-f]*)p([+-]?\d+)$/i;
const BITS = /^0x([\da-f]{8})([\da-f]{8})$/i;

/** The NaN that Prometheus stores for the text `NaN`, as high and low word. */
const NORMAL_NAN_HIGH = 0x7ff80000;
const NORMAL_NAN_LOW = 1;

/**
 * Parses a number as Go's ParseFloat does and writes it to `into[at]`; false when it is none. A finite
 * number that does not fit a double is none either. NaN is written with Prometheus' bits.
 */
export function readFloat(
  bytes: Uint8Array,
  from: number,
  until: number,
  into: Float64Array,
  at: number,
): boolean {
  let i = from;
  const first = bytes[i]!;
  const isNegative = first === MINUS;
  if (isNegative || first === PLUS) i += 1;
  let mantissa = 0;
  let digits = 0;
  let scale = 0;
  let hasPoint = false;
  let seen = 0;
  for (; i < until; i += 1) {
    const byte = bytes[i]!;
    if (byte >= ZERO && byte <= NINE) {
      mantissa = mantissa * 10 + (byte - ZERO);
      seen += 1;
      if (mantissa !== 0) digits += 1;
      if (hasPoint) scale -= 1;
    } else if (byte === DOT && !hasPoint) hasPoint = true;
    else break;
  }
  if (seen === 0 || digits > EXACT_DIGITS) return readSlowly(bytes, from, until, into, at);
  if (i < until) {
    const exponent = readExponent(bytes, i, until);
    if (exponent === NO_EXPONENT) return readSlowly(bytes, from, until, into, at);
    scale += exponent;
  }
  if (scale < -22 || scale > 22) return readSlowly(bytes, from, until, into, at);
  const value = scale < 0 ? mantissa / POWERS[-scale]! : mantissa * POWERS[scale]!;
  into[at] = isNegative ? -value : value;
  return true;
}

/** The same, and every bit of a double as 16 hexadecimal digits, `0x7ff0000000000002`: varve's own spelling. */
export function readFloatOrBits(
  bytes: Uint8Array,
  from: number,
  until: number,
  into: Float64Array,
  at: number,
): boolean {
  if (readFloat(bytes, from, until, into, at)) return true;
  if (until - from !== 18) return false;
  const bits = BITS.exec(asciiText(bytes, from, until));
  if (bits === null) return false;
  storeWords(into, at, Number(`0x${bits[1]}`), Number(`0x${bits[2]}`));
  return true;
}

const NO_EXPONENT = 1000;

/** A small exponent, `e+06`, that ends the number; NO_EXPONENT for anything else. */
function readExponent(bytes: Uint8Array, from: number, until: number): number {
  if ((bytes[from]! | TO_LOWER) !== LETTER_E || until - from > 5) return NO_EXPONENT;
  let i = from + 1;
  const sign = bytes[i];
  if (sign === MINUS || sign === PLUS) i += 1;
  if (i >= until) return NO_EXPONENT;
  let exponent = 0;
  for (; i < until; i += 1) {
    const byte = bytes[i]!;
    if (byte < ZERO || byte > NINE) return NO_EXPONENT;
    exponent = exponent * 10 + (byte - ZERO);
  }
  return sign === MINUS ? -exponent : exponent;
}

function readSlowly(
  bytes: Uint8Array,
  from: number,
  until: number,
  into: Float64Array,
  at: number,
): boolean {
  if (until - from > NUMBER_BYTES_MAX) return false;
  const text = asciiText(bytes, from, until);
  if (DECIMAL.test(text)) return storeFinite(Number(text), into, at);
  const infinity = INFINITY.exec(text);
  if (infinity !== null) {
    into[at] = infinity[1] === "-" ? -Infinity : Infinity;
    return true;
  }
  if (NOT_A_NUMBER.test(text)) {
    storeWords(into, at, NORMAL_NAN_HIGH, NORMAL_NAN_LOW);
    return true;
  }
  const hex = HEX.exec(text);
  if (hex === null || hex[2]! + hex[3]! === "") return false;
  const [, sign, whole = "", fraction = "", exponent] = hex;
  const magnitude = scaled(BigInt(`0x${whole}${fraction}`), Number(exponent) - 4 * fraction.length);
  return storeFinite(sign === "-" ? -magnitude : magnitude, into, at);
}

/** mantissa · 2^exponent, rounded once to the nearest double, ties to even, subnormals included. */
function scaled(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  const bits = mantissa.toString(2).length;
  if (bits + exponent > 1024) return Infinity;
  if (bits + exponent < -1074) return 0;
  const lowest = Math.max(bits + exponent - 53, -1074);
  const shift = BigInt(Math.max(0, lowest - exponent));
  let kept = mantissa >> shift;
  const lost = mantissa - (kept << shift);
  const half = shift === 0n ? 0n : 1n << (shift - 1n);
  if (lost > half || (lost === half && half > 0n && (kept & 1n) === 1n)) kept += 1n;
  // Two exact steps: 2^exponent alone may lie beyond a double while the product does not.
  const power = shift === 0n ? exponent : lowest;
  const step = Math.max(-1000, Math.min(1000, power));
  return Number(kept) * 2 ** (power - step) * 2 ** step;
}

function storeFinite(value: number, into: Float64Array, at: number): boolean {
  if (!Number.isFinite(value)) return false;
  into[at] = value;
  return true;
}

/** By words: a NaN that travels as a number may lose its bits. */
function storeWords(into: Float64Array, at: number, high: number, low: number): void {
  const words = new Uint32Array(into.buffer, into.byteOffset + at * 8, 2);
  words[0] = low;
  words[1] = high;
}
