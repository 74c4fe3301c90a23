/** Turns of the loop with which its speed is found, and runs of that, of which the fastest counts. */
const CALIBRATION_TURNS = 200_000;
const CALIBRATION_RUNS = 15;

/** Where results go, so that the loop is not optimised away. */
let sink = 0;

/** Pure arithmetic: xorshift, no memory, no call. */
export function spin(turns: number, from: number): void {
  let x = (from | 1) ^ sink;
  for (let i = 0; i < turns; i += 1) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  sink = x;
}

/** Times spins as calls are timed: into[i] is how long the i-th took, in microseconds, for from <= i < until. */
export function timeSpins(into: Float64Array, from: number, until: number, turns: number): void {
  for (let i = from; i < until; i += 1) {
    const start = performance.now();
    spin(turns, i);
    into[i] = (performance.now() - start) * 1000;
  }
}

/** Finds how many turns of the loop last about as many microseconds, the clock's share included. */
export function spinTurnsFor(micros: number): number {
  let fastest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < CALIBRATION_RUNS; run += 1) {
    const start = performance.now();
    spin(CALIBRATION_TURNS, run);
    fastest = Math.min(fastest, performance.now() - start);
  }
  let turns = Math.max(1, Math.round((micros * CALIBRATION_TURNS) / (fastest * 1000)));
  // Twice more as it will be used: call and clock take their share of a short spin.
  const sample = new Float64Array(999);
  for (let i = 0; i < 2; i += 1) {
    timeSpins(sample, 0, sample.length, turns);
    turns = Math.max(1, Math.round((turns * micros) / quantile(sample.slice().sort(), 0.5)));
  }
  return turns;
}

/** The value that a share of all does not exceed. */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}
