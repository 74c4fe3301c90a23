import { compareBytes, utf8BytesMax, writeUtf8 } from "@varve/bytes";
import type { Matcher } from "@varve/contracts";
import { VALUE_AT } from "./lists.ts";
import type { LabelLists } from "./label-lists.ts";
import { textOf } from "./label-text.ts";
import { closeGap, type Name } from "./names.ts";

/** The text of a pair's value. */
export function valueText(lists: LabelLists, pair: number): string {
  const at = lists.lists.get(pair, VALUE_AT);
  return textOf(lists.values.page(at), lists.values.offset(at), lists.values.end(at));
}

/** Pairs of a name whose value the matcher accepts, or those whose value it does not. */
export function pairsThat(
  lists: LabelLists,
  name: Name,
  matcher: Matcher,
  isAccepted: boolean,
): number[] {
  closeGap(name);
  const { pairs, count } = name;
  const prefix = prefixBytes(isAccepted ? matcher.prefix : undefined);
  const found: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const pair = pairs[i]!;
    if (prefix.length > 0 && !beginsWith(lists, pair, prefix)) continue;
    if (matcher.matches(valueText(lists, pair)) === isAccepted) found.push(pair);
  }
  return found;
}

/** A name's pairs in the order of their values' bytes: pairs[0 … count). Sorts what came since the last time. */
export function sortPairs(lists: LabelLists, name: Name): void {
  closeGap(name);
  const { pairs, count, sortedCount } = name;
  if (sortedCount === count) return;
  const order = orderOf(lists);
  const fresh = Array.from(pairs.subarray(sortedCount, count)).sort(order);
  // Merges from the end, where the free places are.
  let old = sortedCount - 1;
  let last = fresh.length - 1;
  for (let to = count - 1; last >= 0; to -= 1) {
    if (old >= 0 && order(pairs[old]!, fresh[last]!) > 0) {
      pairs[to] = pairs[old]!;
      old -= 1;
    } else {
      pairs[to] = fresh[last]!;
      last -= 1;
    }
  }
  name.sortedCount = count;
  name.gapFrom = 0; // A sweep that was half through does not know which pairs it has seen: it begins again.
  name.gapUntil = 0;
}

function orderOf(lists: LabelLists): (a: number, b: number) => number {
  const { values } = lists;
  return (a, b) => {
    const aAt = lists.lists.get(a, VALUE_AT);
    const bAt = lists.lists.get(b, VALUE_AT);
    const aFrom = values.offset(aAt);
    const bFrom = values.offset(bAt);
    return compareBytes(
      values.page(aAt),
      aFrom,
      values.end(aAt),
      values.page(bAt),
      bFrom,
      values.end(bAt),
    );
  };
}

function beginsWith(lists: LabelLists, pair: number, prefix: Uint8Array): boolean {
  const address = lists.lists.get(pair, VALUE_AT);
  const page = lists.values.page(address);
  const at = lists.values.offset(address);
  for (let i = 0; i < prefix.length; i += 1) if (page[at + i] !== prefix[i]) return false;
  return true;
}

/** What values have to begin with; nothing when the prefix is not known, or not to be had in UTF-8. */
function prefixBytes(prefix: string | undefined): Uint8Array {
  const text = prefix ?? "";
  const bytes = new Uint8Array(utf8BytesMax(text.length));
  return bytes.subarray(0, Math.max(0, writeUtf8(bytes, 0, text)));
}
