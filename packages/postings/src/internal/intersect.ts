import type { Lists, Stretch } from "./lists.ts";

const stretch: Stretch = { words: new Uint32Array(0), from: 0, until: 0 };

/**
 * Keeps of the ascending refs[0 … count) those that are in a pair's list, or those that are not, in place. Returns how
 * many. Gallops: it looks at about log2(distance) refs of the list for each of ours.
 */
export function narrow(
  lists: Lists,
  pair: number,
  refs: Uint32Array,
  count: number,
  isWanted: boolean,
): number {
  const stretches = lists.stretches(pair);
  let kept = 0;
  let i = 0;
  for (let number = 0; number < stretches && i < count; number += 1) {
    lists.stretch(pair, number, stretch);
    const { words, until } = stretch;
    const last = words[until - 1]!;
    let at = stretch.from;
    for (; i < count && refs[i]! <= last; i += 1) {
      const ref = refs[i]!;
      at = firstNotBelow(words, at, until, ref);
      if ((words[at] === ref) === isWanted) refs[kept++] = ref;
    }
  }
  if (!isWanted) for (; i < count; i += 1) refs[kept++] = refs[i]!;
  return kept;
}

/** The first position from `at` on whose word is at least `wanted`. The word before `until` is. */
function firstNotBelow(words: Uint32Array, at: number, until: number, wanted: number): number {
  if (words[at]! >= wanted) return at;
  let below = at;
  let step = 1;
  while (below + step < until && words[below + step]! < wanted) {
    below += step;
    step *= 2;
  }
  let above = Math.min(below + step, until - 1);
  while (above - below > 1) {
    const middle = (below + above) >>> 1;
    if (words[middle]! < wanted) below = middle;
    else above = middle;
  }
  return above;
}
