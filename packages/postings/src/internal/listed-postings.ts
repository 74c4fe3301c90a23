import {
  StorageError,
  type Matcher,
  type Postings,
  type PostingsStats,
  type SeriesKeys,
  type WriteBatch,
} from "@varve/contracts";
import { KeyReader } from "./key-reader.ts";
import { LabelLists } from "./label-lists.ts";
import { Membership } from "./membership.ts";
import { Query } from "./query.ts";

/** Refs that are looked at between two looks at the clock. */
const REFS_PER_STEP = 64;

/** Postings in lists: `eager` ones fill them as series come, the others once somebody asks. */
export function listedPostings(keys: SeriesKeys, options: { readonly eager: boolean }): Postings {
  return new ListedPostings(keys, options.eager);
}

class ListedPostings implements Postings {
  readonly #keys: SeriesKeys;
  readonly #isEager: boolean;
  #lists = new LabelLists();
  #members: Membership;
  #query: Query;
  readonly #reader: KeyReader;
  /** Every series below this is in the lists, or never will be. */
  #caughtUpTo = 1;
  /** Somebody has asked: from now on `maintain` fills the lists before the next one has to. */
  #isAsked: boolean;
  #caughtUp = 0;
  #isClosed = false;

  constructor(keys: SeriesKeys, isEager: boolean) {
    this.#keys = keys;
    this.#isEager = isEager;
    this.#isAsked = isEager;
    this.#members = new Membership(keys, this.#lists);
    this.#query = new Query(keys, this.#lists, this.#members);
    this.#reader = new KeyReader(keys);
  }

  get stats(): PostingsStats {
    return {
      series: this.#members.listed.count,
      pairs: this.#lists.pairs,
      caughtUp: this.#caughtUp,
      listsRead: this.#query.listsRead,
      bytes: this.#lists.bytes + this.#members.bytes,
    };
  }

  add(batch: WriteBatch, from: number, until: number): void {
    this.#assertOpen();
    if (!this.#isEager) return;
    const { isNew, refs, keys, keyAt } = batch;
    for (let row = from; row < until; row += 1) {
      if (isNew[row] !== 1) continue;
      const ref = refs[row]!;
      if (this.#members.enlist(ref)) this.#lists.put(ref, keys, keyAt[row]!, keyAt[row + 1]!);
      if (ref === this.#caughtUpTo) this.#caughtUpTo += 1;
    }
    this.#lists.forget(); // The batch's bytes change after this.
  }

  drop(refs: Uint32Array, count: number): void {
    this.#assertOpen();
    for (let i = 0; i < count; i += 1) this.#members.drop(refs[i]!);
  }

  select(matchers: readonly Matcher[]): Uint32Array {
    this.#prepare();
    return this.#query.select(matchers);
  }

  labelNames(matchers: readonly Matcher[]): string[] {
    this.#prepare();
    return this.#query.labelNames(matchers);
  }

  labelValues(name: string, matchers: readonly Matcher[]): string[] {
    this.#prepare();
    return this.#query.labelValues(name, matchers);
  }

  maintain(budgetMs: number): void {
    this.#assertOpen();
    const deadline = performance.now() + budgetMs;
    this.#members.forgetUnlisted();
    while (performance.now() < deadline && this.#members.sweepStep());
    if (!this.#isAsked) return;
    while (performance.now() < deadline && this.#caughtUpTo < this.#keys.nextRef) {
      this.#catchUp(Math.min(this.#caughtUpTo + REFS_PER_STEP, this.#keys.nextRef));
    }
    this.#lists.forget();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#lists = new LabelLists();
    this.#members = new Membership(this.#keys, this.#lists);
    this.#query = new Query(this.#keys, this.#lists, this.#members);
  }

  /** Before an answer: all series that there are come into the lists. */
  #prepare(): void {
    this.#assertOpen();
    this.#isAsked = true;
    if (this.#caughtUpTo >= this.#keys.nextRef) return;
    this.#caughtUp += this.#catchUp(this.#keys.nextRef);
    this.#lists.forget();
  }

  /** Puts the series below `until` into the lists that are not there, and returns how many those were. */
  #catchUp(until: number): number {
    const reader = this.#reader;
    let count = 0;
    for (let ref = this.#caughtUpTo; ref < until; ref += 1) {
      if (this.#keys.keyBytes(ref) === 0 || !this.#members.enlist(ref)) continue;
      reader.read(ref); // Only keys that are put: the lists look back at the one before.
      this.#lists.put(ref, reader.bytes, 0, reader.length);
      count += 1;
    }
    this.#caughtUpTo = until;
    return count;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new StorageError("CLOSED", "the postings are closed");
  }
}
