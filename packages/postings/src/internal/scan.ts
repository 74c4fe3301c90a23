import { compareUtf8, labelsOf } from "@varve/bytes";
import type { Labels, Matcher, Postings, PostingsStats, SeriesKeys } from "@varve/contracts";

/** Answers by reading every key: the plain way. */
export function scanPostings(keys: SeriesKeys): Postings {
  return new ScanPostings(keys);
}

class ScanPostings implements Postings {
  readonly #keys: SeriesKeys;
  readonly #dropped = new Set<number>();

  constructor(keys: SeriesKeys) {
    this.#keys = keys;
  }

  get stats(): PostingsStats {
    return { series: 0, pairs: 0, caughtUp: 0, listsRead: 0, bytes: 0 };
  }

  add(): void {}

  drop(refs: Uint32Array, count: number): void {
    for (let i = 0; i < count; i += 1) {
      if (this.#keys.keyBytes(refs[i]!) > 0) this.#dropped.add(refs[i]!);
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
    const values = this.#selected(matchers).map(([, labels]) => labels[name] ?? "");
    return [...new Set(values)].filter((value) => value !== "").toSorted(compareUtf8);
  }

  maintain(): void {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #selected(matchers: readonly Matcher[]): [number, Labels][] {
    const found: [number, Labels][] = [];
    for (let ref = 1; ref < this.#keys.nextRef; ref += 1) {
      const bytes = new Uint8Array(this.#keys.keyBytes(ref));
      if (bytes.length === 0 || this.#dropped.has(ref)) continue;
      this.#keys.copyKey(ref, bytes, 0);
      const labels = labelsOf(bytes, 0, bytes.length);
      if (matchers.every((each) => each.matches(labels[each.name] ?? "")))
        found.push([ref, labels]);
    }
    return found;
  }
}
