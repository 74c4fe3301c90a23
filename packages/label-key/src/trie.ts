import { writeUtf8 } from "@varve/bytes";
import {
  assert,
  KEY_SEPARATOR,
  type KeyEncoder,
  type LabelKeyNeeds,
  type LabelLimits,
  type Labels,
  type Variant,
  type WriteBatch,
} from "@varve/contracts";
import { plainKey } from "./plain.ts";
import { refuseLabels } from "./refuse.ts";
import { ShapeTrie, type Shape } from "./shape-trie.ts";

export interface TrieKeyOptions {
  /**
   * Most trie nodes, one for each distinct beginning of a name sequence. Label sets whose sequence does
   * not fit are encoded the plain way. A node costs some 100 bytes, and one that ends a sequence a copy
   * of its names.
   */
  readonly nodesMax?: number;
}

/** Counters that prove what the trie did. */
export interface TrieKeyStats {
  /** Nodes in use. */
  readonly nodes: number;
  /** Name sequences known. */
  readonly shapes: number;
  /** Keys encoded by a known shape. */
  readonly hits: number;
  /** Keys encoded the plain way because their shape was new. */
  readonly learned: number;
  /** Keys encoded the plain way because the trie was full. */
  readonly fallbacks: number;
}

/** A key encoder that tells what its trie did. */
export interface TrieKeyEncoder extends KeyEncoder {
  readonly stats: TrieKeyStats;
}

export interface TrieKeyVariant extends Variant<"label-key"> {
  open(needs: LabelKeyNeeds): TrieKeyEncoder;
}

/**
 * Remembers shapes of label sets in a bounded trie, and copies what did not change since the last key.
 *
 * The names of a set, in the order in which the object enumerates them, lead to a shape that is
 * sorted and encoded already. Nothing is known by object identity, so callers may change and reuse
 * their objects. Refuses exactly what `plain` refuses. Keeps the last key's strings alive.
 */
export function trieKey(options: TrieKeyOptions = {}): TrieKeyVariant {
  const { nodesMax = 4096 } = options;
  assert(Number.isSafeInteger(nodesMax) && nodesMax >= 0, `nodesMax is a count, got ${nodesMax}`);
  return {
    slot: "label-key",
    name: "trie",
    traits: { caches: true },
    open: ({ limits }: LabelKeyNeeds) => new ShapedKeyEncoder(limits, nodesMax),
  };
}

/** From this length on, in UTF-16 units, the native writer beats a loop: it costs 25 ns a call, the loop 1 ns a unit. */
const NATIVE_UNITS_MIN = 24;
/** From this length on `copyWithin` beats a loop over words: it costs 16 ns a call, the loop 1 ns a word. */
const NATIVE_COPY_BYTES_MIN = 48;
/** Word loops write up to 3 bytes too many, which the next part overwrites. */
const OVERSHOOT_BYTES = 4;
/** Lengths of keys for which a view of the scratch is kept. A view of a longer key is made each time. */
const VIEW_BYTES_MAX = 2048;

/**
 * Builds each key in one half of a scratch of its own while the other half holds the last key, and
 * copies it to the batch at once: 11-16 ns for a `set` from a view that exists, and the batch's bytes
 * need not be trusted to be ours still.
 */
class ShapedKeyEncoder implements TrieKeyEncoder {
  readonly #limits: LabelLimits;
  readonly #plain: KeyEncoder;
  readonly #trie: ShapeTrie;
  #scratch!: Buffer;
  #view!: DataView;
  #halfBytes = 0;
  /** Views of the first `length` bytes of either half: [half][length]. */
  #views: (Uint8Array | undefined)[][] = [[], []];
  /** The half that holds the last key: 0 or 1. */
  #lastHalf = 0;
  #lastShape: Shape | undefined;
  /** Values of the last key in sorted order, and where each ends, measured from the start of its half. */
  #lastValues: string[] = [];
  #lastEnds = new Int32Array(0);
  #values: string[] = [];
  #ends = new Int32Array(0);
  /** Values of the set at hand, in the object's order. */
  readonly #given: string[] = [];
  #hits = 0;
  #learned = 0;
  #fallbacks = 0;

  constructor(limits: LabelLimits, nodesMax: number) {
    this.#limits = limits;
    this.#plain = plainKey().open({ limits }) as KeyEncoder;
    this.#trie = new ShapeTrie(nodesMax);
    this.#growScratch(4096);
  }

  get stats(): TrieKeyStats {
    return {
      nodes: this.#trie.nodes,
      shapes: this.#trie.shapes,
      hits: this.#hits,
      learned: this.#learned,
      fallbacks: this.#fallbacks,
    };
  }

  encode(labels: Labels, batch: WriteBatch, row: number): void {
    const { labelsMax, valueBytesMax } = this.#limits;
    const given = this.#given;
    let node = this.#trie.root;
    let count = 0;
    let units = 0;
    if (typeof labels !== "object") refuseLabels(labels, this.#limits);
    for (const name in labels) {
      // Here V8 knows the answer from the loop's state; `Object.hasOwn` costs 6 ns a name more.
      if (!Object.prototype.hasOwnProperty.call(labels, name)) continue;
      const value: unknown = labels[name];
      if (value === "") continue;
      if (typeof value !== "string" || value.length > valueBytesMax || count === labelsMax) {
        refuseLabels(labels, this.#limits);
      }
      given[count] = value;
      count += 1;
      units += value.length;
      node = node.name === name ? node.next : this.#trie.step(node, name);
    }
    const shape = node.shape;
    if (shape === undefined) {
      this.#encodePlain(labels, batch, row);
      return;
    }
    const length = this.#build(shape, units);
    if (length < 0) refuseLabels(labels, this.#limits);
    batch.reserveKey(row, length);
    const at = batch.keyAt[row]!;
    batch.keys.set(this.#viewOf(length), at);
    batch.keyAt[row + 1] = at + length;
    this.#keepAsLast(shape);
  }

  /** A shape that is not known: the plain way validates it, then it is learned if there is room. */
  #encodePlain(labels: Labels, batch: WriteBatch, row: number): void {
    this.#plain.encode(labels, batch, row);
    const names = Object.keys(labels).filter((name) => labels[name] !== "");
    if (!this.#trie.learn(names)) {
      this.#fallbacks += 1;
      return;
    }
    this.#learned += 1;
    if (names.length > this.#ends.length) {
      this.#ends = new Int32Array(names.length * 2);
      this.#lastEnds = new Int32Array(names.length * 2);
      this.#lastShape = undefined;
    }
  }

  /** Builds the key of `given` in the free half and returns its length, or -1 when a value is refused. */
  #build(shape: Shape, units: number): number {
    const room = shape.nameBytes + units * 3 + OVERSHOOT_BYTES;
    if (room > this.#halfBytes) this.#growScratch(room);
    const { count, order, words, wordsAt, glueBytes } = shape;
    const view = this.#view;
    const given = this.#given;
    const values = this.#values;
    const ends = this.#ends;
    const lastValues = this.#lastValues;
    const lastEnds = this.#lastEnds;
    const oldStart = this.#lastHalf * this.#halfBytes;
    const start = this.#halfBytes - oldStart;
    const same = shape === this.#lastShape;
    let at = start;
    let i = 0;
    while (i < count) {
      const value = given[order[i]!]!;
      // The lengths first, because comparing unequal strings of one length is a call.
      if (same && value.length === lastValues[i]!.length && value === lastValues[i]) {
        const from = i;
        values[i] = value;
        i += 1;
        for (; i < count; i += 1) {
          const next = given[order[i]!]!;
          if (next.length !== lastValues[i]!.length || next !== lastValues[i]) break;
          values[i] = next;
        }
        const oldFrom = from === 0 ? 0 : lastEnds[from - 1]!;
        const shift = at - start - oldFrom;
        for (let j = from; j < i; j += 1) ends[j] = lastEnds[j]! + shift;
        at = this.#copy(oldStart + oldFrom, oldStart + lastEnds[i - 1]!, at);
        continue;
      }
      // The end of the value before, the name, and its end are one piece of bytes.
      const wordsUntil = wordsAt[i + 1]!;
      let piece = at;
      for (let word = wordsAt[i]!; word < wordsUntil; word += 1) {
        view.setInt32(piece, words[word]!, true);
        piece += 4;
      }
      at = this.#write(value, at + glueBytes[i]!);
      if (at < 0) return -1;
      values[i] = value;
      ends[i] = at - start;
      i += 1;
    }
    this.#scratch[at] = KEY_SEPARATOR;
    return at + 1 - start;
  }

  /** Copies scratch bytes from … until to `at`, and returns the position after them. */
  #copy(from: number, until: number, at: number): number {
    const end = at + until - from;
    if (until - from >= NATIVE_COPY_BYTES_MIN) {
      this.#scratch.copyWithin(at, from, until);
      return end;
    }
    const view = this.#view;
    for (let i = from; i < until; i += 4) {
      view.setInt32(at, view.getInt32(i, true), true);
      at += 4;
    }
    return end;
  }

  /** Writes a value and returns the position after it, or -1 when it is not valid or too long. */
  #write(value: string, at: number): number {
    const scratch = this.#scratch;
    const length = value.length;
    if (length < NATIVE_UNITS_MIN) {
      for (let i = 0; i < length; i += 1) {
        const unit = value.charCodeAt(i);
        if (unit > 0x7f) return this.#writeWide(value, at);
        scratch[at + i] = unit;
      }
      return at + length;
    }
    // As many bytes as units: all of it is ASCII, so there was no surrogate to replace.
    if (scratch.write(value, at) === length) return at + length;
    return this.#writeWide(value, at);
  }

  #writeWide(value: string, at: number): number {
    const end = writeUtf8(this.#scratch, at, value);
    return end - at > this.#limits.valueBytesMax ? -1 : end;
  }

  /** The first `length` bytes of the half just built. */
  #viewOf(length: number): Uint8Array {
    const half = 1 - this.#lastHalf;
    const views = this.#views[half]!;
    const known = views[length];
    if (known !== undefined) return known;
    const start = half * this.#halfBytes;
    const view = this.#scratch.subarray(start, start + length);
    if (length <= VIEW_BYTES_MAX) {
      while (views.length <= length) views.push(undefined); // No holes: they would slow every read.
      views[length] = view;
    }
    return view;
  }

  #keepAsLast(shape: Shape): void {
    const values = this.#values;
    const ends = this.#ends;
    this.#values = this.#lastValues;
    this.#ends = this.#lastEnds;
    this.#lastValues = values;
    this.#lastEnds = ends;
    this.#lastHalf = 1 - this.#lastHalf;
    this.#lastShape = shape;
    this.#hits += 1;
  }

  /** Makes both halves hold `bytes`. The last key is forgotten. */
  #growScratch(bytes: number): void {
    this.#halfBytes = 2 ** Math.ceil(Math.log2(bytes));
    // Not from Node's shared pool: offsets count from 0.
    this.#scratch = Buffer.from(new ArrayBuffer(this.#halfBytes * 2));
    this.#view = new DataView(this.#scratch.buffer);
    this.#views = [[], []];
    this.#lastShape = undefined;
  }
}
