import { asciiText, DOT, MINUS, NINE, PLUS, ZERO } from "./ascii.ts";

const DECIMAL_EXPONENT = /^([+-]?(?:\d+\.?\d*|\.\d+))e([+-]?\d{1,3})$/i;

/** Parses whole milliseconds. NaN when it is none, or beyond the safe integers. */
export function readMillis(bytes: Uint8Array, from: number, until: number): number {
  let i = from;
  const isNegative = bytes[i] === MINUS;
  if (isNegative || bytes[i] === PLUS) i += 1;
  if (i === until) return Number.NaN;
  let time = 0;
  for (; i < until; i += 1) {
    const byte = bytes[i]!;
    if (byte < ZERO || byte > NINE) return Number.NaN;
    time = time * 10 + (byte - ZERO);
    if (time > Number.MAX_SAFE_INTEGER) return Number.NaN;
  }
  return isNegative && time !== 0 ? -time : time;
}

/**
 * Parses seconds with a fraction, as OpenMetrics has them, to whole milliseconds. NaN when it is none.
 *
 * The decimal digits are cut behind the third: exact where Prometheus, which multiplies doubles, may be one
 * millisecond low, and the same as it everywhere else.
 */
export function readSeconds(bytes: Uint8Array, from: number, until: number): number {
  let i = from;
  const isNegative = bytes[i] === MINUS;
  if (isNegative || bytes[i] === PLUS) i += 1;
  let time = 0;
  let seen = 0;
  let fraction = -1;
  for (; i < until; i += 1) {
    const byte = bytes[i]!;
    if (byte === DOT && fraction < 0) {
      fraction = 0;
      continue;
    }
    if (byte < ZERO || byte > NINE) return readExponential(bytes, from, until);
    seen += 1;
    if (fraction >= 3) continue;
    if (fraction >= 0) fraction += 1;
    time = time * 10 + (byte - ZERO);
    if (time > Number.MAX_SAFE_INTEGER) return Number.NaN;
  }
  if (seen === 0) return Number.NaN;
  for (let digits = Math.max(fraction, 0); digits < 3; digits += 1) time *= 10;
  if (time > Number.MAX_SAFE_INTEGER) return Number.NaN;
  return isNegative && time !== 0 ? -time : time;
}

function readExponential(bytes: Uint8Array, from: number, until: number): number {
  if (until - from > 64) return Number.NaN;
  const match = DECIMAL_EXPONENT.exec(asciiText(bytes, from, until));
  if (match === null) return Number.NaN;
  const time = Math.trunc(Number(`${match[1]}e${Number(match[2]) + 3}`));
  return Number.isSafeInteger(time) ? time + 0 : Number.NaN;
}
