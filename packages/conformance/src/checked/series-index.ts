import {
  assert,
  LIMIT,
  NO_SERIES,
  OPEN,
  type IndexSettlement,
  type Lsn,
  type SeriesIndex,
  type SeriesIndexNeeds,
  type SeriesIndexStats,
  type SeriesRef,
  type WriteBatch,
} from "@varve/contracts";
import { checkRange } from "./range.ts";

/** Asserts the order of calls, hashes that are present, refs that are never changed, and counts. */
export function checkedSeriesIndex(index: SeriesIndex, needs: SeriesIndexNeeds): SeriesIndex {
  return new CheckedIndex(index, needs);
}

class CheckedIndex implements SeriesIndex {
  readonly #index: SeriesIndex;
  readonly #needs: SeriesIndexNeeds;
  #isSettled = false;
  #isClosed = false;

  constructor(index: SeriesIndex, needs: SeriesIndexNeeds) {
    this.#index = index;
    this.#needs = needs;
  }

  get size(): number {
    return this.#index.size;
  }

  get nextRef(): SeriesRef {
    return this.#index.nextRef;
  }

  get stats(): SeriesIndexStats {
    return this.#index.stats;
  }

  find(batch: WriteBatch, from: number, until: number): void {
    this.#enter();
    checkKeys(batch, from, until);
    const refs = batch.refs.slice();
    const status = batch.status.slice();
    this.#index.find(batch, from, until);
    for (let row = 0; row < batch.length; row += 1) {
      const ref = batch.refs[row]!;
      assert(batch.status[row] === status[row], `find leaves the status of row ${row} alone`);
      if (row >= from && row < until && refs[row] === NO_SERIES) {
        assert(
          ref < this.#index.nextRef,
          `ref ${ref} was issued: the next is ${this.#index.nextRef}`,
        );
        if (ref !== NO_SERIES) this.#checkBound(batch, row);
      } else {
        assert(ref === refs[row], `find leaves ref ${refs[row]} of row ${row} alone, got ${ref}`);
      }
    }
  }

  insert(batch: WriteBatch, from: number, until: number): number {
    this.#enter();
    checkKeys(batch, from, until);
    const refs = batch.refs.slice();
    const status = batch.status.slice();
    const { size, nextRef } = this.#index;
    const inserted = this.#index.insert(batch, from, until);
    for (let row = 0; row < batch.length; row += 1) {
      const isOurs = row >= from && row < until && status[row] === OPEN && refs[row] === NO_SERIES;
      if (!isOurs) {
        assert(batch.refs[row] === refs[row], `insert leaves ref ${refs[row]} of row ${row} alone`);
        assert(batch.status[row] === status[row], `insert leaves the status of row ${row} alone`);
      } else if (batch.status[row] === LIMIT) {
        assert(batch.refs[row] === NO_SERIES, `row ${row} at the limit has no ref`);
      } else {
        assert(batch.refs[row] !== NO_SERIES, `row ${row} has a ref after insert`);
        this.#checkBound(batch, row);
      }
    }
    assert(this.#index.size === size + inserted, `size grows by the ${inserted} new series`);
    assert(
      this.#index.size <= this.#needs.seriesMax,
      `at most ${this.#needs.seriesMax} series live`,
    );
    assert(
      this.#index.nextRef === nextRef + inserted,
      `nextRef grows by the ${inserted} new series`,
    );
    return inserted;
  }

  adopt(batch: WriteBatch, from: number, until: number): void {
    assert(!this.#isSettled, "adopt comes before settle");
    checkKeys(batch, from, until);
    for (let row = from; row < until; row += 1) {
      assert(batch.refs[row] !== NO_SERIES, `row ${row} to adopt has a ref`);
    }
    const { nextRef } = this.#index;
    this.#index.adopt(batch, from, until);
    assert(this.#index.nextRef >= nextRef, `nextRef never falls, was ${nextRef}`);
    for (let row = from; row < until; row += 1) {
      const ref = batch.refs[row]!;
      assert(this.#index.nextRef > ref, `nextRef is above the adopted ref ${ref}`);
    }
  }

  settle(nextRef: SeriesRef): IndexSettlement {
    assert(!this.#isSettled, "settle is called once");
    this.#isSettled = true;
    const settlement = this.#index.settle(nextRef);
    assert(
      this.#index.nextRef >= nextRef,
      `nextRef is at least ${nextRef}, got ${this.#index.nextRef}`,
    );
    return settlement;
  }

  drop(refs: Uint32Array, count: number): void {
    this.#enter();
    const { nextRef } = this.#index;
    this.#index.drop(refs, count);
    assert(this.#index.nextRef === nextRef, `drop leaves nextRef at ${nextRef}`);
    for (let i = 0; i < count; i += 1) {
      assert(this.#index.keyBytes(refs[i]!) === 0, `dropped ref ${refs[i]} has no key`);
    }
  }

  keyBytes(ref: SeriesRef): number {
    return this.#index.keyBytes(ref);
  }

  copyKey(ref: SeriesRef, into: Uint8Array, at: number): number {
    const wanted = this.#index.keyBytes(ref);
    assert(
      at + wanted <= into.length,
      `into has room for ${wanted} bytes at ${at}, got ${into.length}`,
    );
    const length = this.#index.copyKey(ref, into, at);
    assert(length === wanted, `copyKey and keyBytes agree on ref ${ref}: ${length} and ${wanted}`);
    return length;
  }

  commit(coveredLsn: Lsn): Promise<void> {
    this.#enter();
    return this.#index.commit(coveredLsn);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#index[Symbol.asyncDispose]();
  }

  #enter(): void {
    assert(this.#isSettled, "settle comes before find, insert, drop and commit");
    assert(!this.#isClosed, "the index is open");
  }

  /** The ref that a row got leads back to the row's own key. */
  #checkBound(batch: WriteBatch, row: number): void {
    const ref = batch.refs[row]!;
    const from = batch.keyAt[row]!;
    const length = this.#index.keyBytes(ref);
    const wanted = batch.keyAt[row + 1]! - from;
    assert(length === wanted, `key of ref ${ref} has the row's ${wanted} bytes, got ${length}`);
    const key = new Uint8Array(length);
    this.#index.copyKey(ref, key, 0);
    for (let i = 0; i < length; i += 1) {
      if (key[i] !== batch.keys[from + i])
        assert(false, `key of ref ${ref} is the key of row ${row}`);
    }
  }
}

function checkKeys(batch: WriteBatch, from: number, until: number): void {
  checkRange(batch, from, until);
  for (let row = from; row < until; row += 1) {
    const length = batch.keyAt[row + 1]! - batch.keyAt[row]!;
    assert(length >= 0, `key of row ${row} ends behind its start`);
    if (length === 0) {
      assert(batch.refs[row] !== NO_SERIES, `row ${row} has a key or a ref`);
      continue;
    }
    const hash = batch.hashes[2 * row]! | batch.hashes[2 * row + 1]!;
    assert(hash !== 0, `row ${row} is hashed before the index sees it`);
  }
}
