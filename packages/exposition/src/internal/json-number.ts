import { DOT, MINUS, NINE, PLUS, ZERO } from "./ascii.ts";

const LETTER_E = 0x65;
const TO_LOWER = 0x20;

/** True for a number as JSON spells it (RFC 8259): no plus, no leading zeros, digits on both sides of the point. */
export function isJsonNumber(bytes: Uint8Array, from: number, until: number): boolean {
  let at = from < until && bytes[from] === MINUS ? from + 1 : from;
  const whole = skipDigits(bytes, at, until);
  if (whole === at || (bytes[at] === ZERO && whole > at + 1)) return false;
  at = whole;
  if (at < until && bytes[at] === DOT) {
    const fraction = skipDigits(bytes, at + 1, until);
    if (fraction === at + 1) return false;
    at = fraction;
  }
  if (at < until && (bytes[at]! | TO_LOWER) === LETTER_E) {
    at += 1;
    if (at < until && (bytes[at] === PLUS || bytes[at] === MINUS)) at += 1;
    const exponent = skipDigits(bytes, at, until);
    if (exponent === at) return false;
    at = exponent;
  }
  return at === until;
}

function skipDigits(bytes: Uint8Array, from: number, until: number): number {
  let at = from;
  while (at < until && bytes[at]! >= ZERO && bytes[at]! <= NINE) at += 1;
  return at;
}
