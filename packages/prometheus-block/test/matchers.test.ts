import { compareKeys, compareUtf8, keyOf } from "@varve/bytes";
import type { Labels, Matcher } from "@varve/contracts";
import { expect, test } from "vitest";
import type { BlockReader, RawSeries } from "../src/index.ts";
import { makeBlock, newDisk, randomOf, seriesOf } from "./support/blocks.ts";
import { matcher, open, readSeries } from "./support/read.ts";

type Random = (below: number) => number;

const NAMES = ["__name__", "a", "b", "instance", "𝒳", "\ue000"];
const VALUES = ["a", "ab", "b", "𝒳", "\uffff", "é", "host_1", "host_10", "host_2"];

function pick<T>(random: Random, all: readonly T[]): T {
  return all[random(all.length)]!;
}

function randomLabels(random: Random, valuesMax: number): Labels {
  const labels: Record<string, string> = {};
  for (const name of NAMES) {
    if (random(3) === 0) continue;
    labels[name] = random(2) === 0 ? pick(random, VALUES) : `v${random(valuesMax)}`;
  }
  return labels;
}

/** A matcher of any kind, whose `values` and `prefix` are told or not. */
function randomMatcher(random: Random, valuesMax: number): Matcher {
  const name = pick(random, [...NAMES, "missing"]);
  const value = pick(random, ["", `v${random(valuesMax)}`, pick(random, VALUES), "none"]);
  const other = `v${random(valuesMax)}`;
  const expressions = [
    matcher(name, "=~", `v1.*`, random(2) === 0 ? { prefix: "v1" } : {}),
    matcher(name, "=~", `host_.*`, { prefix: "host_" }),
    matcher(name, "=~", ".*"),
    matcher(name, "=~", ".+"),
    matcher(name, "=~", ""),
    matcher(name, "=~", `${value}|${other}`, { values: [...new Set([value, other])] }),
    matcher(name, "=~", `${value}|${other}|`),
    matcher(name, "!~", `v1.*`),
    matcher(name, "!~", ".*"),
    matcher(name, "!~", ".+"),
    matcher(name, "!~", `${value}|${other}`),
    matcher(name, "!~", ""),
  ];
  return pick(random, [
    matcher(name, "=", value),
    matcher(name, "!=", value),
    pick(random, expressions),
  ]);
}

/** The dullest correct thing: asks every matcher about every series. */
function modelOf(all: readonly Labels[], matchers: readonly Matcher[]): Labels[] {
  return all.filter((labels) => matchers.every((each) => each.matches(labels[each.name] ?? "")));
}

function namesOf(all: readonly Labels[]): string[] {
  return [...new Set(all.flatMap((labels) => Object.keys(labels)))].sort(compareUtf8);
}

function valuesOf(all: readonly Labels[], name: string): string[] {
  const values = all.map((labels) => labels[name] ?? "").filter((value) => value !== "");
  return [...new Set(values)].sort(compareUtf8);
}

/** Distinct label sets in label order. */
function randomSeries(random: Random, count: number, valuesMax: number): Labels[] {
  const byKey = new Map<string, Labels>();
  while (byKey.size < count) {
    const labels = randomLabels(random, valuesMax);
    if (Object.keys(labels).length > 0)
      byKey.set(Buffer.from(keyOf(labels)).toString("hex"), labels);
  }
  return [...byKey.values()].sort((a, b) => {
    const [left, right] = [keyOf(a), keyOf(b)];
    return compareKeys(left, 0, left.length, right, 0, right.length);
  });
}

function check(block: BlockReader, all: readonly Labels[], random: Random, about: string): void {
  const matchers = Array.from({ length: random(4) }, () => randomMatcher(random, 40));
  const shown = matchers.map(({ name, kind, value }) => `${name}${kind}"${value}"`);
  const where = `${about}: {${shown.join(",")}}`;
  const expected = modelOf(all, matchers);
  const found = labelsOf(block.select(matchers));
  expect(found.join("\n"), where).toBe(expected.map(sorted).join("\n"));
  expect(block.labelNames(matchers), where).toEqual(namesOf(expected));
  for (const name of ["a", "__name__", "missing", ""]) {
    expect(block.labelValues(name, matchers), where).toEqual(valuesOf(expected, name));
  }
}

/** Labels as text, in key order. */
function sorted(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => compareUtf8(a, b)));
}

function labelsOf(series: RawSeries): string[] {
  const found: string[] = [];
  while (series.next()) found.push(sorted(series.labels()));
  return found;
}

async function blockOf(all: readonly Labels[], pageBytes: number): Promise<BlockReader> {
  const disk = newDisk();
  const written = await makeBlock(
    disk,
    all.map((labels) => seriesOf(labels, [1])),
  );
  written.close();
  return open(disk, written.dir, { bytesMax: 4 * pageBytes, pageBytes });
}

test("selects what a filter over all series selects, for random labels and matchers", async () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const random = randomOf(seed);
    const all = randomSeries(random, 1 + random(120), 1 + random(60));
    const block = await blockOf(all, 64);
    for (let i = 0; i < 40; i += 1) check(block, all, random, `seed ${seed}, query ${i}`);
  }
});

test("selects the same where series are many, and lists long", async () => {
  const seed = 4711;
  const random = randomOf(seed);
  const all = randomSeries(random, 2000, 400);
  const block = await blockOf(all, 65_536);
  for (let i = 0; i < 60; i += 1) check(block, all, random, `seed ${seed}, query ${i}`);
});

test("asks matchers about few series instead of reading the lists of many values", async () => {
  const all = Array.from({ length: 2000 }, (_, i) => ({
    __name__: i % 500 === 0 ? "rare" : "usual",
    host: `host_${String(i).padStart(4, "0")}`,
  }));
  const block = await blockOf(all, 4096);
  const asked: string[] = [];
  const asking: Matcher = {
    ...matcher("host", "!~", "host_0.*"),
    matches: (value) => {
      asked.push(value);
      return !value.startsWith("host_0");
    },
  };
  const found = readSeries(block.select([matcher("__name__", "=", "rare"), asking]));
  expect(found.map(({ labels }) => labels["host"])).toEqual(["host_1000", "host_1500"]);
  expect(asked.filter((value) => value !== "")).toHaveLength(4);
});
