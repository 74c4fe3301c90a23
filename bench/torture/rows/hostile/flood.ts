import { keyOf, makeBatch, type Random, reserveMemory } from "@varve/bytes";
import type { Labels, Plan, SeriesHasher, Variant } from "@varve/contracts";
import { fnv1aId } from "@varve/series-id/fnv1a";
import { lmdbIndex } from "@varve/series-index-lmdb";
import { mapIndex } from "@varve/series-index/map";
import { openAddressedIndex } from "@varve/series-index/open-addressed";
import { join } from "node:path";
import { inMemory, open, recommended } from "varve";
import { Broken, type Row, type Tier, type TrialContext } from "../../row.ts";

/** Labels of one flood. */
const LABELS: Readonly<Record<Tier, number>> = { pr: 4000, full: 100_000 };
/** A flood may take so many times as long as labels that nobody has chosen. */
const SLOWER_MAX = 3;
/** The same for LMDB where a whole hash is shared by all: its pages are then filled in no order. */
const LMDB_SLOWER_MAX = 12;
/** What is a tenth of a second elsewhere takes LMDB seconds: it gets one label of so many. */
const LMDB_SHARE = 5;
/** Both are timed again, so often at most, before that counts: others have the machine as well. */
const TIMES_MAX = 4;
const BATCH_ROWS = 1000;
/** The attacker knows it. */
const SEED = { low: 0x5eed, high: 0x1234_5678 };
/** Labels that hash to one in so many places are kept by an attacker who searches for them. */
const SEARCHED = 16;

/** Engines without a log, which would be most of the time; LMDB is nothing without one. */
const PLANS: Readonly<Record<string, Plan>> = {
  "open-addressed": { ...inMemory(), "series-index": openAddressedIndex() },
  map: { ...inMemory(), "series-index": mapIndex() },
  lmdb: { ...recommended(), "series-index": lmdbIndex() },
};

/** What comes, and what the index is told of its hash. */
interface Attack {
  readonly labels: (count: number, random: Random) => Labels[];
  readonly id: Variant<"series-id">;
}

/** From what everybody can bring to what nobody should be able to find. */
const ATTACKS: Readonly<Record<string, Attack>> = {
  "values that look like integers": {
    labels: (count, random) => {
      const first = random.below(1e9);
      return Array.from({ length: count }, (_, i) => labelsOf(String(first + i)));
    },
    id: fnv1aId(),
  },
  "labels searched for a known seed": { labels: searched, id: fnv1aId() },
  "one low word": { labels: randomLabels, id: withWords((hashes, at) => (hashes[at] = 7)) },
  "one high word": { labels: randomLabels, id: withWords((hashes, at) => (hashes[at + 1] = 7)) },
  "one hash for all": {
    labels: randomLabels,
    id: withWords((hashes, at) => hashes.fill(7, at, at + 2)),
  },
};

const CASES = Object.keys(PLANS).flatMap((index) =>
  Object.keys(ATTACKS).map((attack) => ({
    index,
    attack,
    share: index === "lmdb" ? LMDB_SHARE : 1,
    slowerMax: index === "lmdb" && attack === "one hash for all" ? LMDB_SLOWER_MAX : SLOWER_MAX,
  })),
);
const SHARES = CASES.reduce((sum, { share }) => sum + 1 / share, 0);

const FLOOD: Row = {
  id: "hostile-flood",
  title: `series indexes: ${LABELS.full.toLocaleString("en")} labels that look like integers, are searched for a known seed, or share words of their hash or all of it, each within ${SLOWER_MAX}x the time of random ones (LMDB, a fifth of them: ${LMDB_SLOWER_MAX}x for whole hashes), none merged`,
  kind: "fuzz",
  unit: "labels",
  count: { pr: SHARES * LABELS.pr, full: SHARES * LABELS.full },
  trials: { pr: CASES.length, full: CASES.length },
  trialMs: 120_000,
  trial: flood,
};

export const HOSTILE_FLOOD_ROWS: readonly Row[] = [FLOOD];

async function flood({ tier, seed, random, dir }: TrialContext): Promise<number> {
  const { index, attack, share, slowerMax } = CASES[seed % CASES.length]!;
  const { labels, id } = ATTACKS[attack]!;
  const count = LABELS[tier] / share;
  const chosen = labels(count, random);
  const plain = randomLabels(count, random);
  const plan = PLANS[index]!;
  let ratio = Infinity;
  const shortest = { chosen: Infinity, plain: Infinity };
  for (let time = 0; time < TIMES_MAX && ratio > slowerMax; time += 1) {
    const at = join(dir, `flood-${seed}-${time}`);
    const plainMs = await fill({ ...plan, "series-id": fnv1aId() }, plain, `${at}-plain`);
    const chosenMs = await fill({ ...plan, "series-id": id }, chosen, `${at}-chosen`);
    shortest.plain = Math.min(shortest.plain, plainMs);
    shortest.chosen = Math.min(shortest.chosen, chosenMs);
    ratio = shortest.chosen / shortest.plain;
  }
  if (ratio <= slowerMax) return count;
  const times = `${ratio.toFixed(1)} times as long as random ones`;
  throw new Broken("wrong", `${index}, ${attack}: ${count} labels take ${times}`);
}

/** Writes each label once, and looks whether each has a series of its own. Answers the milliseconds of the writing. */
async function fill(plan: Plan, labels: readonly Labels[], dir: string): Promise<number> {
  const store = await open({
    dir,
    plan,
    hashSeed: SEED,
    maintainEveryMs: 0,
    memoryBytesMax: 2 ** 29,
  });
  const start = performance.now();
  for (let i = 0; i < labels.length; i += 1) store.write(labels[i]!, 1, i);
  await store.flush();
  const ms = performance.now() - start;
  // Known by now: found again, not made.
  for (let i = 0; i < labels.length; i += 1) store.write(labels[i]!, 2, i);
  const { series } = store.stats();
  if (series !== labels.length) {
    throw new Broken("wrong", `${labels.length} labels became ${series} series`);
  }
  for await (const { labels: found, values } of store.select({})) {
    const [first, second] = values;
    const own = labels[first!]!;
    if (first === second && found["id"] === own["id"]) continue;
    throw new Broken(
      "wrong",
      `${JSON.stringify(found)} has samples ${first} and ${second} of ${JSON.stringify(own)}`,
    );
  }
  await store.close();
  return ms;
}

function labelsOf(id: string): Labels {
  return { __name__: "flood", id };
}

function randomLabels(count: number, random: Random): Labels[] {
  return Array.from({ length: count }, (_, i) => labelsOf(`${i}-${random.word().toString(36)}`));
}

/** Labels whose hashes agree in the bits that choose a place, as somebody finds them who knows the seed and has time. */
function searched(count: number, random: Random): Labels[] {
  const hasher = fnv1aId().open({ seed: SEED }) as SeriesHasher;
  const batch = makeBatch(reserveMemory({ bytesMax: 2 ** 22 }), BATCH_ROWS);
  const found: Labels[] = [];
  while (found.length < count) {
    const some = randomLabels(BATCH_ROWS, random);
    batch.clear();
    for (const labels of some) {
      const row = batch.add(0, 0);
      const key = keyOf(labels);
      batch.reserveKey(row, key.length);
      batch.keys.set(key, batch.keyAt[row]!);
      batch.keyAt[row + 1] = batch.keyAt[row]! + key.length;
    }
    hasher.hash(batch, 0, batch.length);
    found.push(...some.filter((_, row) => batch.hashes[2 * row]! % SEARCHED === 0));
  }
  return found.slice(0, count);
}

/** Hashes as if the attacker had found labels for what `change` makes of them: no search finds those. */
function withWords(change: (hashes: Uint32Array, at: number) => void): Variant<"series-id"> {
  const inner = fnv1aId();
  return {
    ...inner,
    open: (needs) => {
      const hasher = inner.open(needs) as SeriesHasher;
      return {
        hash(batch, from, until) {
          hasher.hash(batch, from, until);
          for (let row = from; row < until; row += 1) change(batch.hashes, 2 * row);
        },
      };
    },
  };
}
