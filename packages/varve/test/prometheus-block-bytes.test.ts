import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeRandom, type Random } from "@varve/bytes";
import { type Labels, noPause } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { type BlockReader, createBlock } from "@varve/prometheus-block";
import { expect, test } from "vitest";
import { START, TEXTS } from "./filled-store.ts";
import { freshDir, openStore } from "./helpers.ts";
import { openBlocks } from "./open-blocks.ts";
import { HAS_PROMETHEUS, PROMETHEUS_MISSING, promtool } from "./promtool.ts";

const SEED = 1;
/** Every count of samples up to what a chunk aims at. */
const COUNTS = Array.from({ length: 120 }, (_, i) => i + 1);
/** Milliseconds between samples: all of a series lie in one window. */
const STEPS = [1, 7_000, 10_000, 15_000, 30_000, 59_999];
/** Prometheus' NaN, which text stands for. */
const NAN = new Float64Array(BigUint64Array.of(0x7ff8000000000001n).buffer);

/** A series as text has it, and as the engine is given it. */
interface TextSeries {
  readonly labels: Labels;
  readonly times: readonly number[];
  readonly texts: readonly string[];
}

test.skipIf(!HAS_PROMETHEUS)(
  `cuts the block that promtool makes of the same samples, seed ${SEED}${PROMETHEUS_MISSING}`,
  async () => {
    const series = makeSeries(makeRandom(SEED));
    const ours = await cutBlock(series);
    const theirs = await promtoolBlock(series);
    expect(ours.meta.stats).toEqual(theirs.meta.stats);
    const [own, other] = [chunksOf(ours), chunksOf(theirs)];
    expect(own.length).toBeGreaterThanOrEqual(COUNTS.length);
    expect(spareBytes(other, own)).toBeGreaterThan(0);
    // With the spare bytes that Prometheus before 3.0 leaves, all files are promtool's; without, they are the engine's.
    expectSameFiles(await rewrite(ours, other), filesOf(theirs.dir));
    expectSameFiles(await rewrite(ours, own), filesOf(ours.dir));
    expect([...filesOf(ours.dir).keys()]).toEqual(["chunks/000001", "index", "tombstones"]);
  },
);

function makeSeries(random: Random): TextSeries[] {
  return COUNTS.map((count) => {
    const step = STEPS[count % STEPS.length]!;
    return {
      labels: {
        __name__: `counted_${count % 3}`,
        count: String(count),
        text: TEXTS[count % TEXTS.length]! + (count % 2 === 0 ? "\u{1f600}" : "\uffee"),
      },
      times: Array.from({ length: count }, (_, i) => START + (count % 10) + i * step),
      texts: Array.from({ length: count }, (_, i) => valueOf(random, i)),
    };
  });
}

/** Values of all kinds, noise among them: Prometheus 2.42 ends no chunk for its bytes. */
function valueOf(random: Random, i: number): string {
  if (random.chance(0.05)) return random.pick(["NaN", "+Inf", "-Inf", "-0", "5e-324", "1e308"]);
  return String(random.pick([i, i, random.below(1000), random.unit(), random.normal() * 1e9]));
}

/** Writes the samples through an engine, in time order, and opens the block that is cut. */
async function cutBlock(series: readonly TextSeries[]): Promise<BlockReader> {
  const dir = freshDir();
  const store = await openStore({ dir, maintainEveryMs: 0 });
  const batch = store.batch(COUNTS.length);
  for (let i = 0; i < Math.max(...COUNTS); i += 1) {
    batch.clear();
    for (const { labels, times, texts } of series) {
      const text = texts[i];
      if (text === undefined) continue;
      const value = text === "NaN" ? NAN[0]! : Number(text.replace("Inf", "Infinity"));
      batch.add(labels, times[i]!, value);
    }
    expect(store.writeBatch(batch).rejected).toBe(0);
  }
  await store.cutBlocks();
  await store.close();
  return onlyBlockOf(dir);
}

async function promtoolBlock(series: readonly TextSeries[]): Promise<BlockReader> {
  const dir = freshDir();
  mkdirSync(dir);
  const input = join(dir, "input.om");
  writeFileSync(input, `${series.map(linesOf).join("")}# EOF\n`);
  promtool("tsdb", "create-blocks-from", "openmetrics", input, dir);
  return onlyBlockOf(dir);
}

async function onlyBlockOf(dir: string): Promise<BlockReader> {
  const blocks = await openBlocks(dir);
  expect(blocks).toHaveLength(1);
  return blocks[0]!;
}

function linesOf({ labels: { __name__: name, ...others }, times, texts }: TextSeries): string {
  // JSON's escapes of quotes, backslashes and newlines are those of OpenMetrics; there are no others here.
  const pairs = Object.entries(others).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  const line = (time: number, i: number): string =>
    `${name}{${pairs.join(",")}} ${texts[i]} ${(time / 1000).toFixed(3)}\n`;
  return times.map(line).join("");
}

/** The files of a block but `meta.json`, which says its name, by their paths. */
function filesOf(dir: string): Map<string, Buffer> {
  const paths = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "meta.json")
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  return new Map(paths.map((path) => [path.slice(dir.length + 1), readFileSync(path)]));
}

/** The data of a block's chunks, in order. */
function chunksOf(block: BlockReader): Buffer[] {
  const chunks: Buffer[] = [];
  for (const series = block.allSeries(); series.next();) {
    for (let i = 0; i < series.chunkCount; i += 1) {
      series.load(i);
      chunks.push(Buffer.from(series.bytes.slice(series.from, series.until)));
    }
  }
  return chunks;
}

/** How many chunks have a zero byte behind them that the other block's lack. Otherwise all are equal. */
function spareBytes(theirs: readonly Buffer[], ours: readonly Buffer[]): number {
  expect(theirs).toHaveLength(ours.length);
  const different = theirs.filter((bytes, i) => !bytes.equals(ours[i]!));
  const spared = theirs.filter((bytes, i) => bytes.equals(Buffer.concat([ours[i]!, Buffer.of(0)])));
  expect(different).toEqual(spared);
  return spared.length;
}

/** Writes a block anew with other data in its chunks, and returns its files. */
async function rewrite(
  block: BlockReader,
  chunks: readonly Buffer[],
): Promise<Map<string, Buffer>> {
  const parent = freshDir();
  mkdirSync(parent);
  const writer = createBlock({ disk: nodeDisk(), parent });
  for (const series = block.allSeries(); series.next();) {
    writer.addKey(series.key, 0, series.keyLength);
  }
  await writer.sortSymbols(noPause);
  let next = 0;
  for (const series = block.allSeries(); series.next();) {
    writer.beginSeries(series.key, 0, series.keyLength);
    for (let i = 0; i < series.chunkCount; i += 1, next += 1) {
      series.load(i);
      const [from, until, bytes] = [series.minTime(i), series.maxTime(i), chunks[next]!];
      const { encoding, sampleCount } = series;
      writer.addChunk(encoding, from, until, sampleCount, bytes, 0, bytes.length);
    }
    writer.endSeries();
  }
  await writer.finish({ minTime: block.minTime, maxTime: block.maxTime, level: 1 }, noPause);
  await writer.publish();
  return filesOf(writer.dir);
}

function expectSameFiles(actual: Map<string, Buffer>, expected: Map<string, Buffer>): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, bytes] of expected) {
    expect(actual.get(name)!.equals(bytes), `${name} is the same`).toBe(true);
  }
}
