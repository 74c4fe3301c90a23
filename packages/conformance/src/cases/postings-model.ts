import { compareUtf8, type Random } from "@varve/bytes";
import type { Labels, Matcher, MatcherKind } from "@varve/contracts";
import { cases } from "../case.ts";
import { sameList } from "../expect.ts";
import type { Trial } from "../trial.ts";
import {
  addSeries,
  dropSeries,
  match,
  openPostings,
  selects,
  type PostingsWorld,
} from "./postings-steps.ts";

const NAMES = ["__name__", "a", "ab", "b", "\u{e000}", "\u{1f600}", "job"];
const VALUES = [
  "1",
  "11",
  "2",
  "x",
  "xy",
  "\u{ffff}",
  "\u{10000}",
  "é",
  "node-1",
  "node-2",
  "node-11",
];
const PATTERNS = [
  "1.*",
  "",
  ".*",
  ".+",
  "1|2",
  "x?y?",
  "node-(1|2)",
  "(1|)",
  "[^x].*",
  "node-.+",
  "nope",
];
const OPERATIONS = 1500;

export const postingsModelCases = cases("postings", {
  "does-as-a-filter-does": {
    title:
      "does as a filter over label sets does, over thousands of random adds, drops and queries",
    run: compare,
  },
});

async function compare(trial: Trial<"postings">): Promise<void> {
  const { random } = trial;
  const model = new Map<number, Labels>();
  const known = Array.from({ length: 20 }, () => randomLabels(random));
  let world = await openPostings(trial, known);
  for (const [i, labels] of known.entries()) model.set(i + 1, labels);
  for (let i = 0; i < OPERATIONS; i += 1) {
    const choice = random.below(20);
    if (choice < 5) {
      const series = Array.from({ length: 1 + random.below(10) }, () => randomLabels(random));
      for (const [k, ref] of addSeries(world, series).entries()) model.set(ref, series[k]!);
    } else if (choice < 8) {
      const chance = random.chance(0.1) ? 0.6 : 0.05;
      const refs = [...model.keys()].filter(() => random.chance(chance));
      dropSeries(world, refs);
      for (const ref of refs) model.delete(ref);
    } else if (choice < 10) {
      world.postings.maintain(random.chance(0.5) ? 0 : random.below(3));
    } else if (choice === 10 && random.chance(0.1)) {
      await trial.close(world.postings);
      world = { ...world, postings: await trial.open({ keys: world.keys }) };
    } else {
      check(world, model, random);
    }
  }
}

function check(world: PostingsWorld, model: ReadonlyMap<number, Labels>, random: Random): void {
  const matchers = Array.from({ length: random.below(4) }, () => randomMatcher(random));
  const selected = [...model].filter(([, labels]) =>
    matchers.every((each) => each.matches(labels[each.name] ?? "")),
  );
  const choice = random.below(4);
  if (choice < 2) {
    const refs = selected.map(([ref]) => ref).toSorted((a, b) => a - b);
    selects(world, matchers, refs);
  } else if (choice === 2) {
    const names = new Set(selected.flatMap(([, labels]) => Object.keys(labels)));
    sameList(world.postings.labelNames(matchers), [...names].sort(compareUtf8), "names");
  } else {
    const name = random.pick(NAMES);
    const values = new Set(selected.flatMap(([, labels]) => labels[name] ?? []));
    const expected = [...values].sort(compareUtf8);
    sameList(world.postings.labelValues(name, matchers), expected, `values of ${name}`);
  }
}

function randomLabels(random: Random): Labels {
  const labels: Record<string, string> = { id: String(random.below(1_000_000)) };
  for (const name of NAMES) if (random.chance(0.6)) labels[name] = random.pick(VALUES);
  return labels;
}

function randomMatcher(random: Random): Matcher {
  const name = random.chance(0.05) ? "nope" : random.pick(NAMES);
  const kind = random.pick<MatcherKind>(["=", "=", "!=", "=~", "!~"]);
  if (kind === "=~" || kind === "!~") return match(name, kind, random.pick(PATTERNS));
  return match(name, kind, random.chance(0.1) ? "" : random.pick(VALUES));
}
