/** How Go's strconv.ParseFloat spells special values; a sign goes with infinity only. */
const INFINITY = /^([+-]?)inf(?:inity)?$/i;
const NOT_A_NUMBER = /^nan$/i;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const HEX = /^([+-]?)0x([\da-f]*)\.?([\da-f]*)p([+-]?\d+)$/i;

/** The NaN that Prometheus stores for the text `NaN`: 7ff8000000000001. */
const NORMAL_NAN_WORDS = Uint32Array.of(1, 0x7ff80000);

/**
 * Parses a number as Go's ParseFloat does and writes it to `into[at]`; false when it is none. A finite
 * number that does not fit a double is none either. NaN is written with Prometheus' bits.
 */
export function parseGoFloat(text: string, into: Float64Array, at: number): boolean {
  if (DECIMAL.test(text)) return store(Number(text), into, at);
  const infinity = INFINITY.exec(text);
  if (infinity !== null) {
    into[at] = infinity[1] === "-" ? -Infinity : Infinity;
    return true;
  }
  if (NOT_A_NUMBER.test(text)) {
    // By words: a NaN that travels as a number may lose its bits.
    new Uint32Array(into.buffer, into.byteOffset + at * 8, 2).set(NORMAL_NAN_WORDS);
    return true;
  }
  const hex = HEX.exec(text);
  if (hex === null) return false;
  const [, sign, whole = "", fraction = "", exponent] = hex;
  if (whole + fraction === "") return false;
  const mantissa = Number(BigInt(`0x${whole}${fraction}`)); // Rounds to even, once.
  const magnitude = scale(mantissa, Number(exponent) - 4 * fraction.length);
  return store(sign === "-" ? -magnitude : magnitude, into, at);
}

function store(value: number, into: Float64Array, at: number): boolean {
  if (!Number.isFinite(value)) return false;
  into[at] = value;
  return true;
}

/** Multiplies by a power of two that may itself lie beyond a double. */
function scale(mantissa: number, exponent: number): number {
  let value = mantissa;
  let rest = Math.max(-4000, Math.min(4000, exponent));
  for (; rest > 1000; rest -= 1000) value *= 2 ** 1000;
  for (; rest < -1000; rest += 1000) value *= 2 ** -1000;
  return value * 2 ** rest;
}
