import { compareUtf8 } from "@varve/bytes";
import {
  assert,
  NO_SERIES,
  type Matcher,
  type Postings,
  type PostingsNeeds,
  type PostingsStats,
  type SeriesKeys,
  type WriteBatch,
} from "@varve/contracts";
import { checkRange } from "./range.ts";

/** Asserts that new rows carry their keys, and that answers are ascending, alive and not dropped. */
export function checkedPostings(postings: Postings, needs: PostingsNeeds): Postings {
  return new CheckedPostings(postings, needs.keys);
}

class CheckedPostings implements Postings {
  readonly #postings: Postings;
  readonly #keys: SeriesKeys;
  /** Refs that were dropped while they had a key. */
  readonly #dropped = new Set<number>();
  #isClosed = false;

  constructor(postings: Postings, keys: SeriesKeys) {
    this.#postings = postings;
    this.#keys = keys;
  }

  get stats(): PostingsStats {
    const { stats } = this.#postings;
    for (const [name, count] of Object.entries(stats)) {
      assert(Number.isSafeInteger(count) && count >= 0, `${name} is a count, got ${count}`);
    }
    return stats;
  }

  add(batch: WriteBatch, from: number, until: number): void {
    this.#enter();
    checkRange(batch, from, until);
    for (let row = from; row < until; row += 1) {
      if (batch.isNew[row] !== 1) continue;
      const ref = batch.refs[row]!;
      assert(ref !== NO_SERIES, `new row ${row} has a ref`);
      assert(!this.#dropped.has(ref), `series ${ref} does not return once it was dropped`);
      const from = batch.keyAt[row]!;
      const length = batch.keyAt[row + 1]! - from;
      assert(length > 0, `new row ${row} carries its key`);
      assert(length === this.#keys.keyBytes(ref), `row ${row} carries the key of series ${ref}`);
    }
    this.#postings.add(batch, from, until);
  }

  drop(refs: Uint32Array, count: number): void {
    this.#enter();
    assert(count <= refs.length, `${count} refs are in an array of ${refs.length}`);
    for (let i = 0; i < count; i += 1) {
      if (this.#keys.keyBytes(refs[i]!) > 0) this.#dropped.add(refs[i]!);
    }
    this.#postings.drop(refs, count);
  }

  select(matchers: readonly Matcher[]): Uint32Array {
    this.#enter();
    const refs = this.#postings.select(matchers);
    let before: number = NO_SERIES;
    for (const ref of refs) {
      assert(ref > before, `refs ascend: ${ref} after ${before}`);
      assert(this.#keys.keyBytes(ref) > 0, `series ${ref} has a key`);
      assert(!this.#dropped.has(ref), `series ${ref} was not dropped`);
      before = ref;
    }
    return refs;
  }

  labelNames(matchers: readonly Matcher[]): string[] {
    this.#enter();
    return checkOrder(this.#postings.labelNames(matchers));
  }

  labelValues(name: string, matchers: readonly Matcher[]): string[] {
    this.#enter();
    return checkOrder(this.#postings.labelValues(name, matchers));
  }

  maintain(budgetMs: number): void {
    this.#enter();
    assert(budgetMs >= 0, `the budget is not negative, got ${budgetMs}`);
    this.#postings.maintain(budgetMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#postings[Symbol.asyncDispose]();
  }

  #enter(): void {
    assert(!this.#isClosed, "the postings are open");
  }
}

function checkOrder(texts: string[]): string[] {
  for (const [i, text] of texts.entries()) {
    assert(text !== "", "no name and no value is empty");
    if (i === 0) continue;
    assert(compareUtf8(texts[i - 1]!, text) < 0, `${text} comes behind ${texts[i - 1]}`);
  }
  return texts;
}
