const NORMAL_NAN_HIGH = 0x7ff80000;
const NORMAL_NAN_LOW = 1;

/** The shortest decimal that reads back as the same double; `NaN` for every NaN, `+Inf` and `-Inf`. */
export function textOfFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  if (Number.isFinite(value)) return String(value);
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : "NaN";
}

/**
 * What stands for `values[at]` where all bits are kept: as `textOfFloat`, but NaNs other than Prometheus'
 * ordinary one by their bits, `0x7ff0000000000002`. `words` is a view of the same values.
 */
export function textOfBits(values: Float64Array, words: Uint32Array, at: number): string {
  const value = values[at]!;
  if (!Number.isNaN(value)) return textOfFloat(value);
  const low = words[at * 2]!;
  const high = words[at * 2 + 1]!;
  if (high === NORMAL_NAN_HIGH && low === NORMAL_NAN_LOW) return "NaN";
  return `0x${hexOf(high)}${hexOf(low)}`;
}

/** The words of a column: low, high, low, high … */
export function wordsOf(values: Float64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
}

/** Milliseconds as seconds, as short as they go: `1.5`, `-0.001`. */
export function textOfSeconds(time: number): string {
  const size = Math.abs(time);
  const rest = size % 1000;
  const sign = time < 0 ? "-" : "";
  const seconds = `${sign}${(size - rest) / 1000}`;
  return rest === 0 ? seconds : `${seconds}.${String(rest).padStart(3, "0").replace(/0+$/, "")}`;
}

function hexOf(word: number): string {
  return word.toString(16).padStart(8, "0");
}
