import { readFileSync } from "node:fs";
import { keyOf, makeRandom, type Random } from "@varve/bytes";
import { simDisk } from "@varve/disk/sim";
import { readAll } from "@varve/disk/transfer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { headChunks, type TestChunk, type TestSeries } from "./support/head.ts";
import {
  hasPromtool,
  PROMTOOL_MISSING,
  promtoolBlock,
  type TextSeries,
} from "./support/promtool.ts";
import { hasSpareByte } from "./support/spare-byte.ts";
import { cut, writeBlock } from "./support/write.ts";

/** promtool cuts blocks of two hours, and lets chunks reach over twice that. */
const WINDOW_MS = 2 * 3600 * 1000;
const CHUNK_RANGE_MS = 2 * WINDOW_MS;
/** Begins a window. */
const START_SECONDS = 1_700_006_400;

/**
 * Writes what promtool writes, and compares. Our chunks lack the zero byte that Prometheus before 3.0 leaves behind
 * some: `hasSpareByte` says behind which. With it put there, all files are equal to the byte; and ours are equal
 * chunk by chunk without it.
 */
async function expectSameBlock(text: readonly TextSeries[]): Promise<void> {
  const theirs = promtoolBlock(text);
  const series = text.map(parse);
  const disk = simDisk();
  disk.makeDirectory("/data");
  const written = await writeBlock(disk, cut(series, spared));
  const names = [...theirs.keys()].filter((name) => name !== "meta.json");
  expect(names.toSorted()).toEqual(["chunks/000001", "index", "tombstones"]);
  for (const name of names) {
    const ours = readAll(disk, `${written.writer.dir}/${name}`);
    if (Buffer.compare(ours, theirs.get(name)!) !== 0) {
      throw new Error(`${name} differs ${firstDifference(ours, theirs.get(name)!)}`);
    }
  }
  const meta = JSON.parse(Buffer.from(theirs.get("meta.json")!).toString());
  const { ulid } = written.meta;
  const expected = { ...meta, ulid, compaction: { ...meta.compaction, sources: [ulid] } };
  const bytes = readAll(disk, `${written.writer.dir}/meta.json`);
  expect(Buffer.from(bytes).toString()).toBe(JSON.stringify(expected, null, "\t"));
}

/** The head's chunks, each with the spare byte that promtool would leave. */
function spared(series: TestSeries): TestChunk[] {
  let at = 0;
  return headChunks(series, CHUNK_RANGE_MS).map((chunk) => {
    const times = series.times.slice(at, at + chunk.count);
    const values = series.values.slice(at, at + chunk.count);
    at += chunk.count;
    if (!hasSpareByte(times, values)) return chunk;
    return { ...chunk, bytes: Uint8Array.from([...chunk.bytes, 0]) };
  });
}

/** Reads numbers as promtool does: times are seconds times 1,000, cut to whole milliseconds. */
function parse({ labels, seconds, values }: TextSeries): TestSeries {
  const numbers = new Float64Array(values.length);
  const words = new BigUint64Array(numbers.buffer);
  values.forEach((value, i) => {
    if (value === "NaN") words[i] = 0x7ff8000000000001n;
    else numbers[i] = Number(value.replace("Inf", "Infinity"));
  });
  const times = seconds.map((second) => Math.trunc(Number(second) * 1000));
  return { labels, times, values: numbers };
}

function firstDifference(ours: Uint8Array, theirs: Uint8Array): string {
  let at = 0;
  while (at < ours.length && ours[at] === theirs[at]) at += 1;
  const near = (bytes: Uint8Array) => Buffer.from(bytes.subarray(at - 8, at + 24)).toString("hex");
  return `at ${at} of ${ours.length} and ${theirs.length}: ${near(ours)} and ${near(theirs)}`;
}

const CAPTURE = new URL("../../workload/data/node-exporter.prom", import.meta.url);

/** The committed scrape of a node exporter, `scrapes` times: counters and gauges move from one to the next. */
function capture(scrapes: number): TextSeries[] {
  const lines = readFileSync(CAPTURE, "utf8").split("\n");
  const samples = lines.filter((line) => line !== "" && !line.startsWith("#"));
  return samples.map((line, number) => {
    const [, name, pairs = "", value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line)!;
    const labels = Object.fromEntries(
      [...pairs.matchAll(/(\w+)=("(?:[^"\\]|\\.)*")/g)].map((match): [string, string] => [
        match[1]!,
        JSON.parse(match[2]!),
      ]),
    );
    const step = number % 3;
    const values = Array.from({ length: scrapes }, (_, i) =>
      i === 0 || step === 0 ? value! : String(Number(value) + i * step * 1.25),
    );
    return { labels: { __name__: name!, ...labels }, seconds: steady(scrapes, number), values };
  });
}

/** Every 15 seconds, at some offset. */
function steady(count: number, offset: number): string[] {
  return Array.from({ length: count }, (_, i) => `${START_SECONDS + i * 15}.${offset % 10}`);
}

/** Whole numbers, changing decimals, repeats and what is not a number. */
function valueOf(random: Random, i: number): string {
  if (random.chance(0.3)) return String(i);
  if (random.chance(0.05)) return random.pick(["NaN", "+Inf", "-Inf", "-0", "5e-324", "1e308"]);
  return String(random.pick([random.below(1000), random.unit(), random.normal() * 1e9, 2.5]));
}

/** Samples at uneven times of one window, in order. */
function uneven(random: Random, count: number): string[] {
  const step = random.pick([1, 7, 900]);
  let ms = 0;
  const seconds: string[] = [];
  for (let i = 0; i < count; i += 1) {
    ms += 1 + random.below(step) * random.pick([1, 1, 10]);
    if (ms >= WINDOW_MS) break;
    seconds.push((START_SECONDS + ms / 1000).toFixed(3));
  }
  return seconds;
}

test.skipIf(!hasPromtool)(
  `writes the files that promtool writes for a node exporter's scrapes${PROMTOOL_MISSING}`,
  async () => {
    const series = capture(8);
    expect(series).toHaveLength(507);
    await expectSameBlock(series);
  },
);

test.skipIf(!hasPromtool)(
  `writes the files that promtool writes for 1 to 120 samples a series, and for up to 480${PROMTOOL_MISSING}`,
  async () => {
    const random = makeRandom(1);
    const counts = Array.from({ length: 120 }, (_, i) => i + 1);
    counts.push(121, 150, 239, 240, 241, 300, 359, 360, 361, 479, 480);
    const series = counts.map((count): TextSeries => ({
      labels: { __name__: "counted", count: String(count), parity: String(count % 2) },
      seconds: steady(count, 0),
      values: Array.from({ length: count }, (_, i) => valueOf(random, i)),
    }));
    await expectSameBlock(series);
  },
);

test.skipIf(!hasPromtool)(
  `writes the files that promtool writes where UTF-8 and UTF-16 order names and values apart${PROMTOOL_MISSING}`,
  async () => {
    const values = [
      "\u{1f600}",
      "\ue000",
      "\uffff",
      "\u{10ffff}",
      "\ud7ff",
      "é",
      "z",
      "~",
      "\u007f",
    ];
    const series = values.flatMap((first) =>
      values.map((second): TextSeries => ({
        labels: { __name__: "ordered", a: first, b: first + second, c: `${second}"\\\n` },
        seconds: [String(START_SECONDS)],
        values: ["1"],
      })),
    );
    await expectSameBlock(series);
  },
);

test.skipIf(!hasPromtool)(
  `writes the files that promtool writes for any series${PROMTOOL_MISSING}`,
  async () => {
    const value = fc.string({ unit: "binary", minLength: 1, maxLength: 6 }).map(printable);
    const labels = fc.dictionary(fc.stringMatching(/^[a-z_A-Z][a-z0-9_]{0,4}$/), value, {
      maxKeys: 5,
    });
    const shape = fc.record({ labels, name: fc.constantFrom("a", "b", "z_total") });
    const sets = fc.uniqueArray(shape, {
      minLength: 1,
      maxLength: 150,
      selector: ({ name, labels: others }) => String(keyOf({ ...others, __name__: name })),
    });
    const property = fc.asyncProperty(sets, fc.nat(), async (all, seed) => {
      const random = makeRandom(seed);
      await expectSameBlock(
        all.map(({ labels: others, name }): TextSeries => {
          const seconds = uneven(random, 1 + random.below(random.pick([3, 130, 600])));
          const values = seconds.map((_, i) => valueOf(random, i));
          return { labels: { ...others, __name__: name }, seconds, values };
        }),
      );
    });
    const numRuns = Number(process.env["PROMTOOL_RUNS"] ?? 8);
    await fc.assert(property, { numRuns, endOnFailure: true }); // Each shrink would be a run of promtool.
  },
  60_000,
);

/** Text that promtool's reader takes inside quotes: no NUL. */
function printable(text: string): string {
  return text.replaceAll("\0", "0");
}
