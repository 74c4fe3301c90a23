import { compareKeys, compareUtf8, KeySorter } from "@varve/bytes";
import type { Matcher, StoredSeries } from "@varve/contracts";
import type { Parts } from "./parts.ts";
import type { PinCount } from "./pin-count.ts";

/** Names of labels that the selected series carry anywhere in the store, in the order of their UTF-8 bytes. */
export function labelNames(parts: Parts, matchers: readonly Matcher[]): string[] {
  using stored = parts.blocks.pinBlocks(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  return union([
    parts.postings.labelNames(matchers),
    ...stored.blocks.map((block) => block.labelNames(matchers)),
  ]);
}

/** Values of one label that the selected series carry anywhere in the store, in the order of their UTF-8 bytes. */
export function labelValues(parts: Parts, name: string, matchers: readonly Matcher[]): string[] {
  using stored = parts.blocks.pinBlocks(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  return union([
    parts.postings.labelValues(name, matchers),
    ...stored.blocks.map((block) => block.labelValues(name, matchers)),
  ]);
}

/** Series between two turns of the event loop. */
const SERIES_PER_TURN = 1024;

/** How many series the matchers select anywhere in the store: one that is in several places counts once. */
export async function seriesCount(
  parts: Parts,
  pins: PinCount,
  matchers: readonly Matcher[],
): Promise<number> {
  const refs = parts.postings.select(matchers);
  using _pin = pins.take();
  using stored = parts.blocks.pinBlocks(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  const span = new Float64Array(2);
  const live = refs.filter((ref) =>
    parts.blocks.span(ref, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, span),
  );
  if (stored.blocks.length === 0) return live.length;
  const sorter = new KeySorter(parts.index);
  for (const ref of live) sorter.add(ref);
  const cursors: Pick<StoredSeries, "next" | "key" | "keyLength">[] = [
    sorter,
    ...stored.blocks.map((block) => block.select(matchers)),
  ];
  let sources = cursors.filter((source) => source.next());
  let count = 0;
  while (sources.length > 0) {
    const { key, keyLength } = sources.reduce((first, each) =>
      compareKeys(each.key, 0, each.keyLength, first.key, 0, first.keyLength) < 0 ? each : first,
    );
    const least = key.slice(0, keyLength);
    const ended = new Set(
      sources.filter(
        (each) =>
          compareKeys(each.key, 0, each.keyLength, least, 0, keyLength) === 0 && !each.next(),
      ),
    );
    if (ended.size > 0) sources = sources.filter((each) => !ended.has(each));
    count += 1;
    if (count % SERIES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return count;
}

/** All that any list has, once, in the order of their UTF-8 bytes. */
function union(lists: readonly (readonly string[])[]): string[] {
  const [only] = lists;
  if (lists.length === 1) return [...only!];
  return [...new Set(lists.flat())].sort(compareUtf8);
}
