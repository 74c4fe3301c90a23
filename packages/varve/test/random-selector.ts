import type { Random } from "@varve/bytes";
import { selector } from "@varve/matcher-re2js";
import { TEXTS } from "./filled-store.ts";

/** Labels of the filled store and some of their values; one that no series has. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  __name__: ["m_0", "m_1", "m_2", "m_5", "m_9"],
  host: ["web-0", "web-3", "web-12", "h-1", "h-2", "h-14", "h-25", "H-1", "h"],
  series: ["0", "5", "17", "100", "110", "239", "240"],
  mode: ["idle", "user", "system", "use"],
  text: TEXTS,
  job: ["new", "old"],
  a: ["2", "1"],
  ab: ["1", "2"],
  missing: ["x"],
};
const NAMES = Object.keys(VALUES);
/** Expressions by themselves, which match nothing, all, or by class. */
const EXPRESSIONS = [
  "",
  "()",
  "^$",
  "$^",
  ".*",
  ".+",
  "(?s).+",
  "(?s:.*)",
  ".",
  ".{2,4}",
  "\\d+",
  "[0-9]{2}",
  "[^0-9]*",
  "\\w+",
  "\\W+",
  "\\pL+",
  "\\PL+",
  "[[:alpha:]]+",
  "[[:^alpha:]]+",
  "[a-z]+-[0-9]",
  "h-[0-9]",
  "h-1[0-5]?",
  "h-[^13]",
  "(h|web)-(1|2|1[0-9])",
  "(?:h|web)-\\d*[13579]",
  "web-?.*",
  "(web|h).+",
  ".*-1",
  ".*-.*",
  ".+1.*",
  "(?i)H-1.*",
  "(?i:WEB)-\\d",
  "(?i)IDLE|user",
  "m_[0-2]",
  "m_(0|1|2)|m_5",
  "m_.",
  "[m]_[012]",
  "idle|",
  "|idle",
  "idle||user",
  "(idle)?",
  "(idle|user)?",
  "(use|syste)[rm]",
  "u.*r|s.*m",
  "i*dle",
  "a^b",
  "a$b",
  "\\bidle\\b",
  "\\Aidle\\z",
  "\\Qa.b|c\\E",
  "a\\.b\\|c",
  "[\u{1f600}-\u{1f610}]",
  "\\x{1f600}|é",
  "\\x{e000}|\\x{10ffff}",
  "[\ud7ff-\u{1f600}]",
  "[^\u{1f600}]",
  "z\\n2",
  "z.2",
  "(?s)z.2",
  "(?m)z$",
  "z\n2|A",
  "\\x7f",
  "[\\x00-\\x7f]+",
  "(((1)))",
  "1{1,3}",
  "(1|2|3){2}",
  "1.?0",
  "(?P<x>1)7",
  ".*?",
  ".+?0",
];
/** Characters of an expression that mean more than themselves. */
const SPECIAL = /[\\^$.*+?()[\]{}|]/g;

/**
 * A selector of one to four matchers of all kinds, with values that are there, missing and empty. One of them accepts no
 * empty value, as Prometheus demands.
 */
export function randomSelector(random: Random): string {
  const count = 1 + random.below(random.pick([1, 1, 2, 4])); // Long ones select next to nothing.
  const matchers = Array.from({ length: count }, () => randomMatcher(random));
  // Prometheus takes a metric's name in front or inside, not both.
  const isFree = random.chance(0.3) && !matchers.some((each) => each.startsWith("__name__"));
  const name = isFree ? random.pick(VALUES["__name__"]!) : "";
  const text = `${name}{${matchers.join(",")}}`;
  if (selector(text).some((matcher) => !matcher.matches(""))) return text;
  return `{${[...matchers, random.pick(['series!=""', 'series=~".+"', 'host=~"h.*|w.*"'])].join(",")}}`;
}

function randomMatcher(random: Random): string {
  const name = random.pick(NAMES);
  const kind = random.pick(["=", "!=", "=~", "!~"] as const);
  const value =
    kind === "=" || kind === "!=" ? randomValue(random, name) : randomExpression(random, name);
  return `${name}${kind}${random.chance(0.1) && !/[`\r]/.test(value) ? `\`${value}\`` : JSON.stringify(value)}`;
}

function randomValue(random: Random, name: string): string {
  return random.chance(0.2) ? "" : random.pick(VALUES[name]!);
}

/** An expression, alternatives of values of the label, beginnings of them, or several of these. */
function randomExpression(random: Random, name: string): string {
  if (random.chance(0.35)) return random.pick(EXPRESSIONS);
  const escaped = (value: string): string => value.replaceAll(SPECIAL, "\\$&");
  const literal = (): string => escaped(random.pick(VALUES[name]!));
  const begin = (): string => escaped(Array.from(random.pick(VALUES[name]!)).at(0)!);
  const end = (): string => escaped(Array.from(random.pick(VALUES[name]!)).at(-1)!);
  const piece = (): string =>
    random.pick([
      literal,
      literal,
      () => `${begin()}.*`,
      () => `.*${end()}`,
      () => `${begin()}.+`,
      () => `(${literal()}|${literal()})`,
      () => `^${literal()}$`,
      () => `[${begin()}x].*`,
      () => random.pick(EXPRESSIONS.filter((each) => !each.includes("(?P"))),
      () => "",
    ])();
  return Array.from({ length: 1 + random.below(4) }, piece).join("|");
}
