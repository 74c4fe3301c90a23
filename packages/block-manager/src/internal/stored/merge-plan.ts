/** What the planner has to know of a block. */
export interface PlannedBlock {
  readonly minTime: number;
  /** Exclusive. */
  readonly maxTime: number;
  readonly bytes: number;
  readonly series: number;
  readonly tombstones: number;
  /** It holds late samples alone. */
  readonly isLate: boolean;
}

export interface MergeRules {
  readonly blockDurationMs: number;
  readonly mergeFactor: number;
  readonly mergeLevels: number;
  /** Samples from this time on that came in order are in no block. */
  readonly cutTime: number;
}

/** A block is rewritten for its deletions alone when more than this share of its series has some. */
const TOMBSTONE_SHARE = 0.05;

/**
 * Chooses blocks to merge into one, by Prometheus' rules: first those that overlap, then all of a range of the
 * shortest level that is complete, then one with many deletions. Blocks come in the order of their first times. The newest is
 * left alone: late samples are most likely to come to it. Late samples of windows that are not cut stay among themselves,
 * because Prometheus takes all up to the end of other blocks for cut, and skips it in the log. Empty when there is
 * nothing to do.
 */
export function planMerge<B extends PlannedBlock>(
  blocks: readonly B[],
  rules: MergeRules,
): readonly B[] {
  const { blockDurationMs, mergeFactor, mergeLevels, cutTime } = rules;
  const overlapping = firstOverlap(blocks);
  if (overlapping.length > 0) return overlapping;
  const newest = blocks.at(-1);
  if (newest === undefined) return [];
  const older = blocks.slice(0, -1).filter(({ isLate, maxTime }) => !isLate || maxTime <= cutTime);
  for (let level = 1; level <= mergeLevels; level += 1) {
    const range = blockDurationMs * mergeFactor ** level;
    const chosen = completeRange(older, range, newest.minTime);
    if (chosen.length > 0) return chosen;
  }
  const spoiled = older.find(({ tombstones, series }) => tombstones > series * TOMBSTONE_SHARE);
  return spoiled === undefined ? [] : [spoiled];
}

/** The first blocks that overlap one another in time. */
function firstOverlap<B extends PlannedBlock>(blocks: readonly B[]): readonly B[] {
  for (let i = 0; i < blocks.length; i += 1) {
    let until = blocks[i]!.maxTime;
    let end = i + 1;
    while (end < blocks.length && blocks[end]!.minTime < until) {
      until = Math.max(until, blocks[end]!.maxTime);
      end += 1;
    }
    if (end > i + 1) return blocks.slice(i, end);
  }
  return [];
}

/** Two blocks or more that lie in one aligned range, when no more can come to it. */
function completeRange<B extends PlannedBlock>(
  blocks: readonly B[],
  range: number,
  newestTime: number,
): readonly B[] {
  for (let i = 0; i < blocks.length;) {
    const start = Math.floor(blocks[i]!.minTime / range) * range;
    const end = start + range;
    let next = i;
    while (next < blocks.length && blocks[next]!.minTime < end) next += 1;
    const group = blocks.slice(i, next).filter(({ maxTime }) => maxTime <= end);
    const isComplete = newestTime >= end || group.at(-1)?.maxTime === end;
    if (isComplete && group.length > 1) return group;
    i = next;
  }
  return [];
}
