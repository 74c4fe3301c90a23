import { assert } from "@varve/contracts";

/** Bins for free spans: one for each number of lines up to 64, then two for each power of two up to 2^26 lines. */
const EXACT_LINES = 64;
const BIN_COUNT = EXACT_LINES + 2 * 20 + 2;
/** Words of a free span's entry. Entry 0 stays unused: 0 ends a list. */
const AT = 0;
const LINES = 1;
const NEXT = 2;
const PREVIOUS = 3;
const ENTRY_SHIFT = 2;

/**
 * Spans that were given back, counted in lines: neighbours become one span again, and a large one is cut for a
 * small request, so that no size keeps memory from another.
 *
 * What is known of a span lies here and not in its bytes: whoever still writes to a span it gave back damages
 * samples or keys at worst, never this. Bins are the classes of `spanBytes`, so every span of a bin serves a
 * request of its class, and nothing is searched within one. An entry of 16 B a free span, and two map entries.
 */
export class FreeSpans {
  /** Entry of the span that starts at a line, and of the one that ends before it. */
  readonly #starts = new Map<number, number>();
  readonly #ends = new Map<number, number>();
  /** First entry of each bin, and which bins have one: a bit each, in words. */
  readonly #first = new Int32Array(BIN_COUNT);
  readonly #filled = new Int32Array((BIN_COUNT + 31) >>> 5);
  #entries = new Int32Array(64 << ENTRY_SHIFT);
  #entryCount = 1;
  /** First unused entry, in a list of its own. */
  #unused = 0;

  /** How many spans are free. */
  get count(): number {
    return this.#starts.size;
  }

  /** Keeps a span, together with free ones next to it. */
  add(at: number, lines: number): void {
    assert(!this.#starts.has(at), "a span is given back once");
    let start = at;
    let end = at + lines;
    const before = this.#ends.get(at);
    if (before !== undefined) {
      start = this.#entries[(before << ENTRY_SHIFT) + AT]!;
      this.#remove(before);
    }
    const after = this.#starts.get(end);
    if (after !== undefined) {
      end += this.#entries[(after << ENTRY_SHIFT) + LINES]!;
      this.#remove(after);
    }
    this.#insert(start, end - start);
  }

  /** Takes a span of a class's size out of the smallest that holds it: where it starts, or 0 when none does. */
  take(lines: number): number {
    const bin = this.#filledFrom(binOf(lines));
    if (bin < 0) return 0;
    const entry = this.#first[bin]!;
    const at = this.#entries[(entry << ENTRY_SHIFT) + AT]!;
    const left = this.#entries[(entry << ENTRY_SHIFT) + LINES]! - lines;
    this.#remove(entry);
    if (left > 0) this.#insert(at + lines, left);
    return at;
  }

  /** Takes out the span that ends before a line: where it starts, or `line` itself when there is none. */
  takeEndingAt(line: number): number {
    const entry = this.#ends.get(line);
    if (entry === undefined) return line;
    const at = this.#entries[(entry << ENTRY_SHIFT) + AT]!;
    this.#remove(entry);
    return at;
  }

  #insert(at: number, lines: number): void {
    const entry = this.#newEntry();
    const base = entry << ENTRY_SHIFT;
    const bin = binOf(lines);
    const first = this.#first[bin]!;
    this.#entries[base + AT] = at;
    this.#entries[base + LINES] = lines;
    this.#entries[base + NEXT] = first;
    this.#entries[base + PREVIOUS] = 0;
    if (first !== 0) this.#entries[(first << ENTRY_SHIFT) + PREVIOUS] = entry;
    this.#first[bin] = entry;
    this.#filled[bin >>> 5]! |= 1 << (bin & 31);
    this.#starts.set(at, entry);
    this.#ends.set(at + lines, entry);
  }

  #remove(entry: number): void {
    const entries = this.#entries;
    const base = entry << ENTRY_SHIFT;
    const at = entries[base + AT]!;
    const lines = entries[base + LINES]!;
    const next = entries[base + NEXT]!;
    const previous = entries[base + PREVIOUS]!;
    if (next !== 0) entries[(next << ENTRY_SHIFT) + PREVIOUS] = previous;
    if (previous !== 0) entries[(previous << ENTRY_SHIFT) + NEXT] = next;
    else this.#unlinkFirst(binOf(lines), next);
    this.#starts.delete(at);
    this.#ends.delete(at + lines);
    entries[base + NEXT] = this.#unused;
    this.#unused = entry;
  }

  #unlinkFirst(bin: number, next: number): void {
    this.#first[bin] = next;
    if (next === 0) this.#filled[bin >>> 5]! &= ~(1 << (bin & 31));
  }

  /** The first bin from `bin` on that has a span, or -1. */
  #filledFrom(bin: number): number {
    let bits = this.#filled[bin >>> 5]! & (-1 << (bin & 31));
    for (let word = bin >>> 5; ; bits = this.#filled[word]!) {
      if (bits !== 0) return (word << 5) + 31 - Math.clz32(bits & -bits);
      word += 1;
      if (word === this.#filled.length) return -1;
    }
  }

  #newEntry(): number {
    const entry = this.#unused;
    if (entry !== 0) {
      this.#unused = this.#entries[(entry << ENTRY_SHIFT) + NEXT]!;
      return entry;
    }
    if (this.#entryCount << ENTRY_SHIFT === this.#entries.length) {
      const entries = new Int32Array(this.#entries.length * 2);
      entries.set(this.#entries);
      this.#entries = entries;
    }
    return this.#entryCount++;
  }
}

/** The largest class that a span of so many lines can serve. */
function binOf(lines: number): number {
  if (lines <= EXACT_LINES) return lines - 1;
  const power = 31 - Math.clz32(lines);
  const isHalfMore = (lines >>> (power - 1)) & 1;
  return EXACT_LINES + 2 * (power - 6) + isHalfMore - 1;
}
