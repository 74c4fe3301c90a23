import type { PlannedBlock } from "./merge-plan.ts";

export interface RetentionRules {
  readonly retentionMs: number;
  readonly retentionBytes: number;
}

/**
 * Chooses blocks that retention removes: those whose samples are all older than allowed against the newest block, then
 * the oldest while all together are too large. The newest block always stays.
 */
export function planRetention<B extends PlannedBlock>(
  blocks: readonly B[],
  { retentionMs, retentionBytes }: RetentionRules,
): readonly B[] {
  const byAge = blocks.toSorted((a, b) => b.maxTime - a.maxTime);
  const newest = byAge[0];
  if (newest === undefined) return [];
  let bytes = 0;
  return byAge.filter((block) => {
    bytes += block.bytes;
    if (block === newest) return false;
    return block.maxTime <= newest.maxTime - retentionMs || bytes > retentionBytes;
  });
}
