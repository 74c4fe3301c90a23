import type { Matcher } from "@varve/contracts";
import { type Ids, NO_ID } from "./postings-list.ts";
import { intersect, NO_IDS, subtract, unite } from "./postings-sets.ts";
import { corrupt } from "./read-errors.ts";
import { SeriesCheck } from "./postings-check.ts";
import type { BlockParts } from "./read-parts.ts";

/**
 * Looking at a series' labels costs as much as looking at so many values of a name, or at so many ids of a list:
 * about a microsecond against a third and against some nanoseconds.
 */
const VALUES_PER_CHECK = 3;
const IDS_PER_CHECK = 150;

/** Ids of the series that every matcher accepts. */
export function planIds(parts: BlockParts, matchers: readonly Matcher[]): Ids {
  const found: Ids[] = [];
  const others: Matcher[] = [];
  for (const matcher of matchers) {
    const ids = isExact(matcher) ? listsOf(parts, matcher) : null;
    if (ids === null) others.push(matcher);
    else found.push(ids);
  }
  const countMax = found.reduce((least, ids) => Math.min(least, ids.countMax), Infinity);
  if (countMax === 0) return NO_IDS;
  return planOthers(parts, others, found, countMax);
}

/** Adds the matchers that have to go through the values of their name, or through series. */
function planOthers(
  parts: BlockParts,
  matchers: readonly Matcher[],
  found: Ids[],
  countMax: number,
): Ids {
  const all = allIds(parts);
  const without: Ids[] = [];
  const checks: Matcher[] = [];
  for (const matcher of matchers) {
    const takesEmpty = matcher.matches("");
    const entries = matcher.name === "" ? undefined : parts.table.names.get(matcher.name);
    if (entries === undefined) {
      if (!takesEmpty) return NO_IDS;
    } else if (matcher.kind === "!=" && takesEmpty) {
      const list = parts.table.find(matcher.name, matcher.value);
      if (list >= 0) without.push(parts.lists.open(list));
    } else if (countMax < entries.count / VALUES_PER_CHECK + all.countMax / IDS_PER_CHECK) {
      checks.push(matcher);
    } else if (takesEmpty) {
      without.push(unite(listsWhere(parts, matcher, false)));
    } else {
      found.push(unite(listsWhere(parts, matcher, true)));
    }
  }
  let ids = found.length === 0 ? all : intersect(found);
  for (const each of without) ids = subtract(ids, each);
  return checks.length === 0 ? ids : new Checked(ids, new SeriesCheck(parts, checks));
}

/** Ids of all series. */
export function allIds({ table, lists }: BlockParts): Ids {
  const list = table.find("", "");
  return list < 0 ? NO_IDS : lists.open(list);
}

/** The values that can match are known, and series without the label cannot. */
function isExact(matcher: Matcher): boolean {
  return matcher.values !== undefined && !matcher.matches("");
}

function listsOf({ table, lists }: BlockParts, matcher: Matcher): Ids {
  const found: Ids[] = [];
  if (matcher.name === "") return NO_IDS;
  for (const value of matcher.values ?? []) {
    const list = matcher.matches(value) ? table.find(matcher.name, value) : -1;
    if (list >= 0) found.push(lists.open(list));
  }
  return unite(found);
}

/**
 * Lists of the values that match, or of those that do not. A series has one value of a name at most: together they name
 * no more series than there are, or the table points to one list many times.
 */
function listsWhere(parts: BlockParts, matcher: Matcher, matches: boolean): Ids[] {
  const { table, lists } = parts;
  const found: Ids[] = [];
  let left = allIds(parts).countMax;
  const walk = table.values(matcher.name, matches ? matcher.prefix : undefined);
  while (walk.next()) {
    const { list } = walk;
    if (matcher.matches(walk.text()) !== matches) continue;
    const ids = lists.open(list);
    left -= ids.countMax;
    if (left < 0) {
      const problem = `values of ${JSON.stringify(matcher.name)} have more series than there are`;
      throw corrupt(parts.index.path, list, problem);
    }
    found.push(ids);
  }
  return found;
}

/** Ids of the series that pass a check of their labels. */
class Checked implements Ids {
  readonly countMax: number;
  readonly #ids: Ids;
  readonly #check: SeriesCheck;

  constructor(ids: Ids, check: SeriesCheck) {
    this.countMax = ids.countMax;
    this.#ids = ids;
    this.#check = check;
  }

  seek(from: number): number {
    let id = this.#ids.seek(from);
    while (id !== NO_ID && !this.#check.accepts(id)) id = this.#ids.seek(id + 1);
    return id;
  }
}
