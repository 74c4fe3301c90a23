import { InvalidArgumentError } from "commander";

const SIZES: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6 };
const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Parses a positive whole number: `10000`, `10k`, `1M`. */
export function positive(text: string): number {
  const match = /^(\d+)([kKmM]?)$/.exec(text);
  const value = match === null ? 0 : Number(match[1]) * SIZES[match[2]!.toLowerCase()]!;
  if (value > 0 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("It is a whole number of at least 1, such as 500, 10k or 1M.");
}

/** Parses a time: milliseconds, RFC 3339, or `now` and `now-2h`. Returns milliseconds. */
export function time(text: string): number {
  if (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  const relative = /^now(?:([+-])(\d+)(ms|[smhdw]))?$/.exec(text);
  if (relative !== null) {
    const [, sign, count = "0", unit = "ms"] = relative;
    return Date.now() + (sign === "-" ? -1 : 1) * Number(count) * UNITS[unit]!;
  }
  const isDate = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(
    text,
  );
  const date = isDate ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(date)) return date;
  throw new InvalidArgumentError(
    "It is milliseconds since 1970, a date such as 2026-01-31 or 2026-01-31T08:00:00Z, or now-2h.",
  );
}
