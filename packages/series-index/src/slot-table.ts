import { randomBytes } from "node:crypto";
import type { Memory, SeriesRef } from "@varve/contracts";
import type { KeyAt } from "./key-arena.ts";
import { DEPTH_MAX, SEGMENT_SLOTS, SEGMENT_WORDS, Segments, SLOT_WORDS } from "./segments.ts";

/** A segment with more series than this is split before the next one goes in: 70 %. */
const SEGMENT_SERIES_MAX = 358;
/** A segment with fewer is not split for a long run of probes: its hashes would not part in the next one either. */
const SEGMENT_SERIES_MIN = 128;
/** Slots looked at before a series goes to, or is looked for in, the overflow. */
export const PROBES_MAX = 64;
/** Where the words of a slot lie. A slot is empty when its ref is 0, whatever its hash. */
const LOW = 0;
const HIGH = 1;
const REF = 2;
const KEY = 3;
const SLOT_SHIFT = 2;
const SLOT_MASK = SEGMENT_SLOTS - 1;
const HOME_SHIFT = 23;

/** What became of a series that was put in. */
export type Placement = number;
export const PLACED: Placement = 1;
/** Its run of probes is too long: it belongs in the overflow. */
export const CROWDED: Placement = 2;
/** The memory is full. */
export const FULL: Placement = 3;

/** No slot. */
export const NO_SLOT = 0;

/**
 * An extendible hash table (Fagin and others, 1979) whose segments are small open-addressed tables with linear
 * probing and backward-shift deletion: slots of 16 bytes, four a cache line, that hold the whole hash.
 *
 * It grows a segment at a time: an insert moves at most the slots of one segment, and a find looks in one place.
 */
export class SlotTable {
  readonly #words: Int32Array;
  readonly #secretLow: number;
  readonly #secretHigh: number;
  readonly #segments: Segments;
  readonly #scratch = new Int32Array(SEGMENT_WORDS);
  /** Segments split. */
  splits = 0;
  /** Slots that splits moved. */
  moved = 0;

  constructor(memory: Memory, words: Int32Array) {
    this.#segments = new Segments(memory);
    this.#words = words;
    const secret = randomBytes(8);
    this.#secretLow = secret.readInt32LE(0);
    this.#secretHigh = secret.readInt32LE(4);
  }

  get bytes(): number {
    return this.#segments.bytes;
  }

  /** Takes the first segments: enough for `series` without a split. False when the memory is full. */
  open(series: number): boolean {
    // Hashes spread unevenly: at 60 % on average, one segment in 10,000 is above 70 %.
    const wanted = Math.ceil(series / (SEGMENT_SLOTS * 0.6));
    const depth = Math.ceil(Math.log2(Math.max(1, wanted)));
    return this.#segments.open(Math.min(DEPTH_MAX, depth));
  }

  /** A hash as this table's place for it: mixed with the secret, so that no outsider can aim at a segment. */
  place(low: number, high: number): number {
    let h = Math.imul(low ^ this.#secretLow, 0x85ebca6b);
    h ^= h >>> 15;
    h = Math.imul(h ^ high ^ this.#secretHigh, 0xc2b2ae35);
    h ^= h >>> 13;
    h = Math.imul(h, 0x27d4eb2f);
    return h ^ (h >>> 16);
  }

  /** The first slot at or after `from` probes whose whole hash is this one, or NO_SLOT. */
  seek(place: number, low: number, high: number, from: number): number {
    const words = this.#words;
    const base = this.#segments.start(place);
    const home = place >>> HOME_SHIFT;
    const lowWord = low | 0;
    const highWord = high | 0;
    for (let probe = from; probe < PROBES_MAX; probe += 1) {
      const slot = base + (((home + probe) & SLOT_MASK) << SLOT_SHIFT);
      if (words[slot + REF] === 0) return NO_SLOT;
      if (words[slot + LOW] === lowWord && words[slot + HIGH] === highWord) return slot;
    }
    return NO_SLOT;
  }

  /** How many probes from its home a slot lies: `seek` continues after a false match with one more. */
  distance(place: number, slot: number): number {
    const base = this.#segments.start(place);
    return (((slot - base) >>> SLOT_SHIFT) - (place >>> HOME_SHIFT)) & SLOT_MASK;
  }

  ref(slot: number): SeriesRef {
    return this.#words[slot + REF]! >>> 0;
  }

  key(slot: number): KeyAt {
    return this.#words[slot + KEY]!;
  }

  /** True when a series of this place may be in the overflow. */
  mayOverflow(place: number): boolean {
    return this.#segments.overflowed[this.#segments.number(place)] === 1;
  }

  /** Puts in a series that is not there. Splits at most one segment. */
  put(place: number, low: number, high: number, ref: SeriesRef, key: KeyAt): Placement {
    let number = this.#segments.number(place);
    let slot = this.#vacancy(place);
    const full = this.#segments.series[number]! >= SEGMENT_SERIES_MAX;
    if (full || (slot === NO_SLOT && this.#segments.series[number]! >= SEGMENT_SERIES_MIN)) {
      if (this.#split(place)) {
        number = this.#segments.number(place);
        slot = this.#vacancy(place);
      } else if (slot === NO_SLOT && this.#segments.depths[number]! < DEPTH_MAX) {
        return FULL;
      }
    }
    if (slot === NO_SLOT || this.#segments.series[number]! >= SEGMENT_SLOTS - 1) {
      this.#segments.overflowed[number] = 1;
      return CROWDED;
    }
    const words = this.#words;
    words[slot + LOW] = low;
    words[slot + HIGH] = high;
    words[slot + REF] = ref;
    words[slot + KEY] = key;
    this.#segments.series[number]! += 1;
    return PLACED;
  }

  /** Takes a series out. False when it is not in a slot. */
  remove(place: number, ref: SeriesRef): boolean {
    const words = this.#words;
    const base = this.#segments.start(place);
    const home = place >>> HOME_SHIFT;
    const wanted = ref | 0;
    for (let probe = 0; probe < PROBES_MAX; probe += 1) {
      const index = (home + probe) & SLOT_MASK;
      const held = words[base + (index << SLOT_SHIFT) + REF]!;
      if (held === 0) return false;
      if (held !== wanted) continue;
      this.#closeGap(base, index);
      this.#segments.series[this.#segments.number(place)]! -= 1;
      return true;
    }
    return false;
  }

  /** Calls `visit` with the byte offset and the size of each segment. */
  forEachSegment(visit: (at: number, bytes: number) => void): void {
    this.#segments.forEach(visit);
  }

  dispose(): void {
    this.#segments.dispose();
  }

  /** The first empty slot of a run, or NO_SLOT when it is longer than the bound. */
  #vacancy(place: number): number {
    const words = this.#words;
    const base = this.#segments.start(place);
    const home = place >>> HOME_SHIFT;
    for (let probe = 0; probe < PROBES_MAX; probe += 1) {
      const slot = base + (((home + probe) & SLOT_MASK) << SLOT_SHIFT);
      if (words[slot + REF] === 0) return slot;
    }
    return NO_SLOT;
  }

  /** Moves later slots of the run back over a gap, so that no run has a hole and no tombstone is needed. */
  #closeGap(base: number, gapIndex: number): void {
    const words = this.#words;
    let gap = gapIndex;
    for (let index = (gap + 1) & SLOT_MASK; ; index = (index + 1) & SLOT_MASK) {
      const slot = base + (index << SLOT_SHIFT);
      if (words[slot + REF] === 0) break;
      const home = this.place(words[slot + LOW]!, words[slot + HIGH]!) >>> HOME_SHIFT;
      // It may move back unless its home lies behind the gap.
      if (((index - home) & SLOT_MASK) < ((index - gap) & SLOT_MASK)) continue;
      words.copyWithin(base + (gap << SLOT_SHIFT), slot, slot + SLOT_WORDS);
      gap = index;
    }
    words[base + (gap << SLOT_SHIFT) + REF] = 0;
  }

  /** Parts the segment of `place` in two by the next bit of its places. False when it cannot. */
  #split(place: number): boolean {
    const number = this.#segments.number(place);
    const base = this.#segments.start(place);
    const bit = 1 << this.#segments.depths[number]!;
    const fresh = this.#segments.split(place);
    if (fresh < 0) return false;
    const parted = this.#part(base, this.#segments.start((place & (bit - 1)) | bit), bit);
    this.#segments.series[fresh] = parted;
    this.#segments.series[number]! -= parted;
    this.splits += 1;
    return true;
  }

  /**
   * Lays the slots of a segment out anew, those with `bit` in `fresh`; returns how many went there. It starts
   * behind an empty slot and keeps the order of the runs, so that no series ends up farther from its home.
   */
  #part(base: number, fresh: number, bit: number): number {
    const words = this.#words;
    const scratch = this.#scratch;
    for (let i = 0; i < SEGMENT_WORDS; i += 1) {
      scratch[i] = words[base + i]!;
      words[base + i] = 0;
    }
    let first = 0;
    while (scratch[(first << SLOT_SHIFT) + REF] !== 0) first += 1;
    let parted = 0;
    for (let i = 1; i < SEGMENT_SLOTS; i += 1) {
      const from = ((first + i) & SLOT_MASK) << SLOT_SHIFT;
      if (scratch[from + REF] === 0) continue;
      const place = this.place(scratch[from + LOW]!, scratch[from + HIGH]!);
      const to = (place & bit) === 0 ? base : fresh;
      let index = place >>> HOME_SHIFT;
      while (words[to + (index << SLOT_SHIFT) + REF] !== 0) index = (index + 1) & SLOT_MASK;
      const slot = to + (index << SLOT_SHIFT);
      words[slot + LOW] = scratch[from + LOW]!;
      words[slot + HIGH] = scratch[from + HIGH]!;
      words[slot + REF] = scratch[from + REF]!;
      words[slot + KEY] = scratch[from + KEY]!;
      if (to === fresh) parted += 1;
      this.moved += 1;
    }
    return parted;
  }
}
