import { backgroundBlocks } from "@varve/block-manager/background";
import { makeRandom, type Random } from "@varve/bytes";
import { isTaken, type Labels } from "@varve/contracts";
import { type Content, contentOf, nameOf, openStore, planWith } from "./helpers.ts";
import { expectSame } from "./expect-same.ts";

/** Two hours, and where the first of them begins: at a multiple of six. */
export const WINDOW_MS = 2 * 3_600_000;
export const START = 1_700_006_400_000;
/** Windows that are filled; the last two stay in the log. */
export const WINDOWS = 7;
export const END = START + WINDOWS * WINDOW_MS;

export const PLAN = planWith({
  "block-manager": backgroundBlocks({ outOfOrderWindowMs: 4 * 3_600_000 }),
});

const SERIES = 240;
/** Share of the samples that come late, a window after their neighbours at most. */
const LATE_SHARE = 0.02;
/** Samples with from <= time < until of the series that have these labels. */
interface DeletedSamples {
  readonly labels: Labels;
  readonly from: number;
  readonly until: number;
}

/**
 * What is deleted, from blocks and from the log. The latter are series that the log names for the first time: Prometheus
 * passes over deletions from a series whose labels an earlier ref had.
 */
const DELETIONS: readonly DeletedSamples[] = [
  {
    labels: { __name__: "m_2", mode: "system" },
    from: START + 1.5 * WINDOW_MS,
    until: START + 4.5 * WINDOW_MS,
  },
  {
    labels: { job: "new" },
    from: START + 6.2 * WINDOW_MS,
    until: START + 6.4 * WINDOW_MS,
  },
];
/** Rows of a batch. */
const ROWS = 1000;

/** Values whose order in UTF-8 is not that in UTF-16, and what is hard to quote or to match. */
export const TEXTS = [
  "\u{1f600}",
  "\ue000",
  "\uffff",
  "\u{10ffff}",
  "\ud7ff",
  "é",
  "z\n2",
  'a "b" \\',
  "\u007f",
  "a.b|c",
  "A",
] as const;

/** A sample of series `series`. Its value is in a column of its own: bits of NaNs do not last in an object. */
interface Row {
  readonly series: number;
  readonly time: number;
  readonly value: number;
}

/**
 * Fills a new store over several windows, with series that end, pause and begin, samples at even and uneven times, special
 * values and late ones. Five windows are cut to blocks, three of those are merged, the log is cut, the rest is in the
 * log, and samples are deleted from both. Checks that the store shows just that, closes it and returns what it holds.
 */
export async function fillStore(
  dir: string,
  seed: number,
  deletions: readonly DeletedSamples[] = DELETIONS,
): Promise<Content> {
  const random = makeRandom(seed);
  const labels = Array.from({ length: SERIES }, (_, i) => labelsOf(i));
  const { rows, values } = makeRows(random);
  const store = await openStore({ dir, plan: PLAN, maintainEveryMs: 0 });
  const batch = store.batch(ROWS);
  const write = (from: number, until: number): void => {
    for (let at = from; at < until; at += ROWS) {
      batch.clear();
      const end = Math.min(until, at + ROWS);
      for (let i = at; i < end; i += 1) {
        batch.add(labels[rows[i]!.series]!, rows[i]!.time, values[rows[i]!.value]!);
      }
      store.writeBatch(batch);
      for (let i = 0; i < end - at; i += 1) {
        if (!isTaken(batch.status(i))) throw new Error(`row ${at + i} is taken, seed ${seed}`);
      }
    }
  };
  const indexOf = (window: number): number => {
    const at = rows.findIndex(({ time }) => time >= START + window * WINDOW_MS);
    return at < 0 ? rows.length : at;
  };
  const [first, second] = [indexOf(3), indexOf(5)];
  write(0, first);
  await store.cutBlocks({ before: START + 2 * WINDOW_MS });
  write(first, second);
  await store.cutBlocks();
  await store.compactLog();
  write(second, rows.length);
  for (const { labels: which, ...range } of deletions) {
    const { head, blocks } = await store.delete(which, range);
    if (head + blocks === 0) throw new Error(`a deletion meets a series, seed ${seed}`);
  }
  const expected = modelOf(labels, rows, values, deletions);
  expectSame(await contentOf(store), expected, `the store filled from seed ${seed}`);
  await store.close();
  return expected;
}

/** Several names and values a series; some lack labels that others have, and a few have no name. */
function labelsOf(series: number): Labels {
  const text = TEXTS[series % 23];
  return {
    ...(series % 40 !== 7 && { __name__: `m_${series % 6}` }),
    host: series % 3 === 0 ? `web-${series % 20}` : `h-${series % 30}`,
    series: String(series),
    ...(series % 4 !== 0 && { mode: ["idle", "user", "system"][series % 3]! }),
    ...(text !== undefined && { text }),
    ...(series % 8 === 5 && { job: "new" }),
    // Names that begin with one another are ordered as names, not as keys.
    ...(series % 5 === 0 && { a: "2" }),
    ...(series % 7 === 0 && { ab: "1" }),
  };
}

/** Rows in the order in which they come. Late ones lie behind later ones of their series. */
function makeRows(random: Random): { rows: readonly Row[]; values: Float64Array } {
  const rows: { row: Row; comes: number }[] = [];
  const values = new Float64Array(SERIES * WINDOWS * 40);
  const words = new BigUint64Array(values.buffer);
  let count = 0;
  for (let series = 0; series < SERIES; series += 1) {
    const [begins, ends] = lifeOf(series);
    const isEven = series % 2 === 0;
    let time = begins + (isEven ? random.below(300) * 1000 : random.below(300_000));
    for (let i = 0; time < ends; i += 1) {
      const isLast = time + 600_000 >= ends && ends < END;
      if (isLast) words[count] = 0x7ff0000000000002n;
      else setValue(random, values, words, count, series, i);
      // The log is told late samples in a way that Prometheus does not read: all of them are cut to blocks.
      const isLate = random.chance(LATE_SHARE) && time < START + 3.5 * WINDOW_MS;
      const comes = isLate ? time + 900_000 + random.below(WINDOW_MS) : time;
      rows.push({ row: { series, time, value: count }, comes });
      count += 1;
      if (isLast) break;
      time += isEven ? 300_000 : 1 + random.below(600_000);
      if (series % 11 === 0 && i === 20) time += 2 * WINDOW_MS; // A pause, longer than a window.
    }
  }
  rows.sort((a, b) => a.comes - b.comes);
  return { rows: rows.map(({ row }) => row), values };
}

/** When a series begins, and before when it ends. */
function lifeOf(series: number): [begins: number, ends: number] {
  if (series % 8 === 1) return [START, START + 2 * WINDOW_MS];
  if (series % 8 === 3) return [START + 3 * WINDOW_MS + 1234, END];
  if (series % 8 === 5) return [START + 6 * WINDOW_MS, END];
  return [START, END];
}

function setValue(
  random: Random,
  values: Float64Array,
  words: BigUint64Array,
  at: number,
  series: number,
  i: number,
): void {
  const kind = random.unit();
  if (kind < 0.02) words[at] = 0x7ff8000000000001n;
  else if (kind < 0.04) words[at] = 0x7ff0000000000002n;
  else if (kind < 0.09) values[at] = random.pick([Infinity, -Infinity, -0, 5e-324]);
  else values[at] = [i, i * 0.25, random.normal() * 1e9, 7][series % 4]!;
}

function modelOf(
  labels: readonly Labels[],
  rows: readonly Row[],
  values: Float64Array,
  deletions: readonly DeletedSamples[],
): Content {
  const words = new BigUint64Array(values.buffer);
  const content: Content = new Map();
  for (const { series, time, value } of rows.toSorted((a, b) => a.time - b.time)) {
    if (deletions.some((each) => isDeleted(each, labels[series]!, time))) continue;
    const name = nameOf(labels[series]!);
    if (!content.has(name)) content.set(name, []);
    content.get(name)!.push([time, words[value]!.toString(16)]);
  }
  return content;
}

function isDeleted(deletion: DeletedSamples, labels: Labels, time: number): boolean {
  if (time < deletion.from || time >= deletion.until) return false;
  return Object.entries(deletion.labels).every(([name, value]) => labels[name] === value);
}
