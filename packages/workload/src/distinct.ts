import type { Labels } from "@varve/contracts";

/**
 * Counts distinct label sets, whatever the order of their labels; empty values are no labels.
 *
 * Exact: sets are compared whole. Takes some 150 bytes of memory for each distinct one.
 */
export function countDistinct(labelSets: Iterable<Labels>): number {
  const symbols = new Map<string, number>();
  const seen = new Set<string>();
  for (const labels of labelSets) {
    const pairs: [number, number][] = [];
    for (const [name, value] of Object.entries(labels)) {
      if (value !== "") pairs.push([numberOf(name, symbols), numberOf(value, symbols)]);
    }
    pairs.sort(([a], [b]) => a - b);
    seen.add(pairs.join());
  }
  return seen.size;
}

/** A number for a string: short to store, and as good to compare. */
function numberOf(text: string, symbols: Map<string, number>): number {
  const known = symbols.get(text);
  if (known !== undefined) return known;
  symbols.set(text, symbols.size);
  return symbols.size - 1;
}
