import { compareUtf8, labelsOf } from "@varve/bytes";
import type { Labels, Matcher, Postings, SeriesKeys, Variant } from "@varve/contracts";

/** Reads every key for every answer. */
export function dullPostings(): Variant<"postings"> {
  return {
    slot: "postings",
    name: "dull",
    traits: { eager: false },
    open: ({ keys }) => new DullPostings(keys),
  };
}

class DullPostings implements Postings {
  readonly stats = { series: 0, pairs: 0, caughtUp: 0, listsRead: 0, bytes: 0 };
  readonly #keys: SeriesKeys;
  readonly #dropped = new Set<number>();

  constructor(keys: SeriesKeys) {
    this.#keys = keys;
  }

  add(): void {}

  drop(refs: Uint32Array, count: number): void {
    for (const ref of refs.subarray(0, count)) {
      if (this.#keys.keyBytes(ref) > 0) this.#dropped.add(ref);
    }
  }

  select(matchers: readonly Matcher[]): Uint32Array {
    return Uint32Array.from(this.#selected(matchers), ([ref]) => ref);
  }

  labelNames(matchers: readonly Matcher[]): string[] {
    const names = this.#selected(matchers).flatMap(([, labels]) => Object.keys(labels));
    return [...new Set(names)].toSorted(compareUtf8);
  }

  labelValues(name: string, matchers: readonly Matcher[]): string[] {
    const values = this.#selected(matchers).map(([, labels]) => valueOf(labels, name));
    return [...new Set(values)].filter((value) => value !== "").toSorted(compareUtf8);
  }

  maintain(): void {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #selected(matchers: readonly Matcher[]): [ref: number, labels: Labels][] {
    const found: [number, Labels][] = [];
    for (let ref = 1; ref < this.#keys.nextRef; ref += 1) {
      const key = new Uint8Array(this.#keys.keyBytes(ref));
      if (key.length === 0 || this.#dropped.has(ref)) continue;
      this.#keys.copyKey(ref, key, 0);
      const labels = labelsOf(key, 0, key.length);
      if (matchers.every((each) => each.matches(valueOf(labels, each.name)))) {
        found.push([ref, labels]);
      }
    }
    return found;
  }
}

function valueOf(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? labels[name]! : "";
}
