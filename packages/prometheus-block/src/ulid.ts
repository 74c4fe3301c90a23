import { randomFillSync } from "node:crypto";

/** Crockford's base 32: no I, L, O and U. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** 48 bits of time take 10 digits, of which the first has 3 bits; 80 bits of randomness take 16. */
const TIME_DIGITS = 10;
const RANDOM_DIGITS = 16;
const TIME_MAX = 2 ** 48 - 1;
const PATTERN = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** The last time used, and the last random digits, one a byte. */
let lastMs = -1;
const digits = new Uint8Array(RANDOM_DIGITS);

/**
 * Makes a ULID: 26 digits that sort by time (https://github.com/ulid/spec). Each one of a process is above the one
 * before it, also within a millisecond and when the clock goes back.
 */
export function makeUlid(nowMs: number = Date.now()): string {
  const time = Number.isNaN(nowMs) ? 0 : Math.max(0, Math.min(Math.floor(nowMs), TIME_MAX));
  if (time > lastMs) renew(time);
  else increment();
  let text = "";
  let rest = lastMs;
  for (let i = 0; i < TIME_DIGITS; i += 1) {
    text = ALPHABET[rest % 32]! + text;
    rest = Math.floor(rest / 32);
  }
  for (const digit of digits) text += ALPHABET[digit]!;
  return text;
}

/** True for a ULID in upper case, the only form that names a block. */
export function isUlid(name: string): boolean {
  return PATTERN.test(name);
}

function renew(time: number): void {
  lastMs = time;
  randomFillSync(digits);
  for (let i = 0; i < RANDOM_DIGITS; i += 1) digits[i]! &= 31;
}

/** Adds one to the random part; after the last of a millisecond comes the first of the next. */
function increment(): void {
  for (let i = RANDOM_DIGITS - 1; i >= 0; i -= 1) {
    if (digits[i]! < 31) {
      digits[i]! += 1;
      return;
    }
    digits[i] = 0;
  }
  renew(lastMs + 1);
}
