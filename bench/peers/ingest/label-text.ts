import type { Labels } from "@varve/contracts";

/** Stands behind every name and value; label sets with it would be found out, since two of them might be one text. */
const END = "\u001f";

/**
 * Writes label sets as text, the same for the same labels in any order: what the peers know a series by. Names are sorted
 * once for all label sets that have the same ones in the same order, which makes it several times as fast as
 * sorting and JSON for each.
 */
export class LabelText {
  #names: readonly string[] = [];
  #sorted: readonly string[] = [];

  of(labels: Labels): string {
    const names = Object.keys(labels);
    if (!this.#isKnown(names)) {
      this.#names = names;
      this.#sorted = names.toSorted();
    }
    let text = "";
    for (const name of this.#sorted) text += name + END + labels[name]! + END;
    return text;
  }

  #isKnown(names: readonly string[]): boolean {
    const known = this.#names;
    if (names.length !== known.length) return false;
    for (let i = 0; i < names.length; i += 1) if (names[i] !== known[i]) return false;
    return true;
  }
}
