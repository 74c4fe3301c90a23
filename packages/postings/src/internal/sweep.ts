import { VALUE_AT } from "./lists.ts";
import type { LabelLists } from "./label-lists.ts";
import type { Name } from "./names.ts";
import type { RefBits } from "./ref-bits.ts";

/** Refs and pairs that one step works through, about: some tens of microseconds. */
const STEP_WORK = 8192;
/** What a pair costs beside its refs. */
const PAIR_WORK = 16;

/**
 * Takes series out of all lists, name by name, and writes what stays to new pages: values, and lists; the old pages
 * go. Between two steps every answer is right, as long as it leaves out the series that are swept.
 */
export class Sweep {
  readonly gone: RefBits;
  readonly #lists: LabelLists;
  #nameId = 0;

  constructor(lists: LabelLists, gone: RefBits) {
    this.#lists = lists;
    this.gone = gone;
    lists.forget();
    lists.lists.closePages();
    lists.values.closePages();
  }

  /** Does a piece of the work. False once nothing is left to do. */
  step(): boolean {
    const { names } = this.#lists;
    this.#lists.forget();
    let work = STEP_WORK;
    while (this.#nameId < names.idEnd) {
      const name = names.get(this.#nameId);
      if (name !== undefined) {
        work = this.#sweepName(name, work);
        if (name.gapUntil < name.count) return true;
        names.trim(name);
        name.gapFrom = 0;
        name.gapUntil = 0;
        if (name.count === 0) names.remove(name);
      }
      this.#nameId += 1;
      if (work <= 0) return true;
    }
    this.#lists.values.dropClosed();
    return false;
  }

  /** Goes on with a name's pairs behind its gap: those that stay move before it. */
  #sweepName(name: Name, work: number): number {
    const { lists, values } = this.#lists;
    let left = work;
    while (left > 0 && name.gapUntil < name.count) {
      const pair = name.pairs[name.gapUntil]!;
      left -= PAIR_WORK + lists.length(pair);
      lists.rewrite(pair, this.gone);
      name.gapUntil += 1;
      if (lists.length(pair) === 0) {
        this.#lists.remove(pair);
        if (name.gapFrom < name.sortedCount) name.sortedCount -= 1;
      } else {
        lists.set(pair, VALUE_AT, values.move(lists.get(pair, VALUE_AT)));
        name.pairs[name.gapFrom] = pair;
        name.gapFrom += 1;
      }
    }
    return left;
  }
}
