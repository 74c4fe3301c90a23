import type { Matcher } from "@varve/contracts";
import { narrow } from "./intersect.ts";
import type { KeyReader } from "./key-reader.ts";
import type { LabelLists } from "./label-lists.ts";
import { labelBytes, nameBytes, textOf } from "./label-text.ts";
import type { Stretch } from "./lists.ts";
import type { Name } from "./names.ts";
import { RefBits } from "./ref-bits.ts";
import { pairsThat } from "./walk.ts";

/** Asking one series' key costs about as much as testing this many values of a label. */
const VALUES_PER_KEY = 4;
/** More refs than this are put in order by marking them, fewer by sorting. */
const SORTED_MAX = 16_384;

/** Series that are left while one matcher after the other is applied: ascending refs, or still all. */
export class Selection {
  listsRead = 0;
  readonly #lists: LabelLists;
  readonly #reader: KeyReader;
  readonly #listed: RefBits;
  readonly #stretch: Stretch = { words: new Uint32Array(0), from: 0, until: 0 };
  #refs: Uint32Array = new Uint32Array(0);
  #count = 0;
  #isAll = true;

  constructor(lists: LabelLists, reader: KeyReader, listed: RefBits) {
    this.#lists = lists;
    this.#reader = reader;
    this.#listed = listed;
  }

  /** The refs that are left: refs[0 … count). The array is the caller's. */
  result(): { readonly refs: Uint32Array; readonly count: number } {
    if (this.#isAll) this.#startWithAll();
    return { refs: this.#refs, count: this.#count };
  }

  startEmpty(): void {
    this.#isAll = false;
    this.#count = 0;
  }

  /** Begins with the series of some lists of one name: no series is in two of them. */
  startWith(pairs: readonly number[]): void {
    const { lists } = this.#lists;
    const length = this.#lengthOf(pairs);
    this.listsRead += pairs.length;
    this.#isAll = false;
    this.#count = length;
    if (pairs.length > 1 && length > SORTED_MAX) {
      this.#takeMarked(this.#marksOf(pairs), length);
      return;
    }
    const refs = new Uint32Array(length);
    let at = 0;
    for (const pair of pairs) at = lists.copy(pair, refs, at);
    if (pairs.length > 1) refs.sort();
    this.#refs = refs;
  }

  /** Keeps the series of a list. */
  keepIn(pair: number): void {
    this.listsRead += 1;
    this.#count = narrow(this.#lists.lists, pair, this.#refs, this.#count, true);
  }

  /** Keeps the series that a matcher accepts. */
  apply(matcher: Matcher): void {
    if (!this.#isAll && this.#count === 0) return;
    const acceptsEmpty = matcher.matches("");
    const bytes = nameBytes(matcher.name);
    const name = bytes === null ? undefined : this.#lists.findName(bytes, 0, bytes.length);
    if (name === undefined) {
      if (!acceptsEmpty) this.startEmpty();
      return;
    }
    const known = this.#knownPairs(matcher, acceptsEmpty);
    if (known !== null) this.#applyPairs(known, acceptsEmpty);
    else if (!this.#isAll && this.#count * VALUES_PER_KEY < name.count)
      this.#askKeys(matcher, name);
    else this.#applyPairs(pairsThat(this.#lists, name, matcher, !acceptsEmpty), acceptsEmpty);
  }

  /** The lists that decide, where the matcher names its values; else null. */
  #knownPairs(matcher: Matcher, acceptsEmpty: boolean): number[] | null {
    const { name, kind, value, values } = matcher;
    if (kind === "!=" && value !== "") return this.#pairsOf(name, [value]);
    if (acceptsEmpty || values === undefined) return null;
    return this.#pairsOf(
      name,
      values.filter((each) => matcher.matches(each)),
    );
  }

  #pairsOf(name: string, values: readonly string[]): number[] {
    const pairs: number[] = [];
    for (const value of values) {
      const bytes = labelBytes(name, value);
      const pair = bytes === null ? -1 : this.#lists.find(bytes, 0, bytes.length);
      if (pair >= 0) pairs.push(pair);
    }
    return pairs;
  }

  /** Keeps the series of some lists of one name, or takes them away. */
  #applyPairs(pairs: readonly number[], takeAway: boolean): void {
    if (this.#isAll) {
      if (!takeAway) return this.startWith(pairs);
      if (pairs.length === 0) return;
      this.#startWithAll();
    }
    this.listsRead += pairs.length;
    const { lists } = this.#lists;
    if (pairs.length === 1) {
      this.#count = narrow(lists, pairs[0]!, this.#refs, this.#count, !takeAway);
      return;
    }
    const marks = this.#marksOf(pairs);
    const refs = this.#refs;
    let kept = 0;
    for (let i = 0; i < this.#count; i += 1) {
      if (marks.has(refs[i]!) !== takeAway) refs[kept++] = refs[i]!;
    }
    this.#count = kept;
  }

  /** Keeps the series whose own key a matcher accepts. Neighbours often have the same value: it is tested once. */
  #askKeys(matcher: Matcher, name: Name): void {
    const reader = this.#reader;
    const refs = this.#refs;
    let kept = 0;
    let text: string | null = null;
    let isAccepted = false;
    for (let i = 0; i < this.#count; i += 1) {
      if (!reader.read(refs[i]!)) continue;
      reader.findValue(name.bytes);
      const value = textOf(reader.bytes, reader.valueFrom, reader.valueUntil);
      if (value !== text) {
        text = value;
        isAccepted = matcher.matches(value);
      }
      if (isAccepted) refs[kept++] = refs[i]!;
    }
    this.#count = kept;
  }

  #startWithAll(): void {
    this.#isAll = false;
    this.#takeMarked(this.#listed, this.#listed.count);
  }

  #takeMarked(marks: RefBits, count: number): void {
    const refs = new Uint32Array(count);
    let at = 0;
    for (let ref = marks.next(1); ref !== 0; ref = marks.next(ref + 1)) refs[at++] = ref;
    this.#refs = refs;
    this.#count = count;
  }

  #marksOf(pairs: readonly number[]): RefBits {
    const { lists } = this.#lists;
    const stretch = this.#stretch;
    const marks = new RefBits();
    for (const pair of pairs) {
      const stretches = lists.stretches(pair);
      for (let i = 0; i < stretches; i += 1) {
        lists.stretch(pair, i, stretch);
        const { words, from, until } = stretch;
        for (let at = from; at < until; at += 1) marks.add(words[at]!);
      }
    }
    return marks;
  }

  #lengthOf(pairs: readonly number[]): number {
    let length = 0;
    for (const pair of pairs) length += this.#lists.lists.length(pair);
    return length;
  }
}
