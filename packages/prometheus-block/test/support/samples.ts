import { makeRandom } from "@varve/bytes";
import { type CutSeries, cut } from "./write.ts";
import { encodeChunk, type TestChunk } from "./head.ts";

/** Label sets that share and differ in all ways: missing labels, prefixes of one another, long and unusual values. */
export function randomSeries(seed: number, count: number): CutSeries[] {
  const random = makeRandom(seed);
  const names = ["__name__", "a", "ab", "b", "\u{1f600}", "\ue000", "zone"];
  const values = [
    "a",
    "a\u0000",
    "a\u0000\u0000b",
    "ab",
    "abc",
    "abcd",
    "\u{1f600}",
    "\ue000",
    "x".repeat(70),
  ];
  const sets = new Map<string, Record<string, string>>();
  while (sets.size < count) {
    const entries = names
      .filter(() => random.chance(0.6))
      .map((name): [string, string] => [
        name,
        random.chance(0.7) ? random.pick(values) : `host_${random.below(count)}`,
      ]);
    if (entries.length > 0) sets.set(JSON.stringify(entries), Object.fromEntries(entries));
  }
  const series = [...sets.values()].map((labels) => {
    const length = 1 + random.below(6);
    const times = Array.from({ length }, (_, i) => i * 1000 - 2000);
    return { labels, times, values: Float64Array.from(times, () => random.below(100)) };
  });
  return cut(series, ({ times, values: numbers }) => pairsOf(times, numbers));
}

/** Chunks of two samples. */
function pairsOf(times: readonly number[], values: Float64Array): TestChunk[] {
  const chunks: TestChunk[] = [];
  for (let at = 0; at < times.length; at += 2) {
    chunks.push(encodeChunk(times, values, at, Math.min(at + 2, times.length)));
  }
  return chunks;
}
