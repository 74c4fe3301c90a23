import { makeRandom } from "@varve/bytes";

/** One child process to run: a cell, by its place in the list, and which of its repeats. */
export interface Turn {
  readonly cell: number;
  readonly repeat: number;
}

/**
 * Interleaves the repeats of all cells: every cell once, then every cell again, so that a machine that gets slower
 * slows them all. Each sweep is in an order of its own, shuffled from the seed, so that no cell always
 * follows the same one.
 */
export function interleave(cells: number, repeats: number, seed: number): Turn[] {
  const random = makeRandom(seed);
  const turns: Turn[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const sweep = Array.from({ length: cells }, (_, cell): Turn => ({ cell, repeat }));
    for (let i = sweep.length - 1; i > 0; i -= 1) {
      const j = random.below(i + 1);
      [sweep[i], sweep[j]] = [sweep[j]!, sweep[i]!];
    }
    turns.push(...sweep);
  }
  return turns;
}
