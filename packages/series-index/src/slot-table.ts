import { randomBytes } from "node:crypto";
import type { Memory, SeriesRef } from "@varve/contracts";
import type { KeyAt } from "./key-arena.ts";
import {
  copySlot,
  emptyFrom,
  HIGH,
  HOME_SHIFT,
  KEY,
  LOW,
  REF,
  SLOT_MASK,
  SLOT_SHIFT,
} from "./segment-layout.ts";
import { DEPTH_MAX, SEGMENT_SLOTS, SEGMENT_WORDS, Segments, SLOT_WORDS } from "./segments.ts";
import type { TableArrays } from "./table-arrays.ts";

/** A segment with more series than this is split before the next one goes in: 70 %. */
export const SEGMENT_SERIES_MAX = 358;
/** A segment with fewer is not split for a long run of probes: its hashes would not part in the next one either. */
const SEGMENT_SERIES_MIN = 128;
/** Two segments become one when they have no more than this: half of what splits one, so that neither follows the other. */
const MERGED_SERIES_MAX = 179;
/** How often a segment that empties looks for its twin: every so many series, a power of two. */
const MERGE_STEP = 16;
/** Slots looked at before a series goes to, or is looked for in, the overflow. */
export const PROBES_MAX = 64;
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
 * It grows and shrinks a segment at a time: an insert parts at most one segment, a removal joins at most two, and a
 * find looks in one place.
 */
export class SlotTable {
  readonly #words: Int32Array;
  /** What hashes are mixed with. */
  readonly secretLow: number;
  readonly secretHigh: number;
  readonly segments: Segments;
  readonly #scratch = new Int32Array(SEGMENT_WORDS);
  /** Segments split. */
  splits = 0;

  constructor(memory: Memory, words: Int32Array, arrays?: TableArrays) {
    this.segments = new Segments(memory, arrays);
    this.#words = words;
    const secret = randomBytes(8);
    this.secretLow = secret.readInt32LE(0);
    this.secretHigh = secret.readInt32LE(4);
  }

  get bytes(): number {
    return this.segments.bytes;
  }

  /** Takes the first segments: enough for `series` without a split. False when the memory is full. */
  open(series: number): boolean {
    // Hashes spread unevenly: at 60 % on average, one segment in 10,000 is above 70 %.
    const wanted = Math.ceil(series / (SEGMENT_SLOTS * 0.6));
    const depth = Math.ceil(Math.log2(Math.max(1, wanted)));
    return this.segments.open(Math.min(DEPTH_MAX, depth));
  }

  /** A hash as this table's place for it: mixed with the secret, so that no outsider can aim at a segment. */
  place(low: number, high: number): number {
    let h = Math.imul(low ^ this.secretLow, 0x85ebca6b);
    h ^= h >>> 15;
    h = Math.imul(h ^ high ^ this.secretHigh, 0xc2b2ae35);
    h ^= h >>> 13;
    h = Math.imul(h, 0x27d4eb2f);
    return h ^ (h >>> 16);
  }

  /** The first slot at or after `from` probes whose whole hash is this one, or NO_SLOT. */
  seek(place: number, low: number, high: number, from: number): number {
    const words = this.#words;
    const base = this.segments.start(place);
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
    const base = this.segments.start(place);
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
    return this.segments.overflowed[this.segments.number(place)] === 1;
  }

  /** Puts in a series that is not there. Splits at most one segment. */
  put(place: number, low: number, high: number, ref: SeriesRef, key: KeyAt): Placement {
    let number = this.segments.number(place);
    let slot = this.#vacancy(place);
    const full = this.segments.series[number]! >= SEGMENT_SERIES_MAX;
    if (full || (slot === NO_SLOT && this.segments.series[number]! >= SEGMENT_SERIES_MIN)) {
      if (this.#split(place)) {
        number = this.segments.number(place);
        slot = this.#vacancy(place);
      } else if (slot === NO_SLOT && this.segments.depths[number]! < DEPTH_MAX) {
        return FULL;
      }
    }
    if (slot === NO_SLOT || this.segments.series[number]! >= SEGMENT_SLOTS - 1) {
      return this.crowd(place);
    }
    const words = this.#words;
    words[slot + LOW] = low;
    words[slot + HIGH] = high;
    words[slot + REF] = ref;
    words[slot + KEY] = key;
    this.segments.series[number]! += 1;
    return PLACED;
  }

  /** Notes that a series of this place goes to the overflow, though there may be slots. */
  crowd(place: number): Placement {
    this.segments.overflowed[this.segments.number(place)] = 1;
    return CROWDED;
  }

  /** The ref in the slot where a search for `place` begins. */
  home(place: number): number {
    const slot = this.segments.start(place) + ((place >>> HOME_SHIFT) << SLOT_SHIFT);
    return this.#words[slot + REF]!;
  }

  /** Takes a series out. False when it is not in a slot. Joins at most two segments. */
  remove(place: number, ref: SeriesRef): boolean {
    const slot = this.#slotOf(place, ref);
    if (slot === NO_SLOT) return false;
    const base = this.segments.start(place);
    this.#closeGap(base, (slot - base) >>> SLOT_SHIFT);
    const number = this.segments.number(place);
    const left = this.segments.series[number]! - 1;
    this.segments.series[number] = left;
    if ((left & (MERGE_STEP - 1)) === 0 && left <= MERGED_SERIES_MAX) this.#join(place);
    return true;
  }

  /** Notes that the key of a series was moved. A series that is not in a slot needs no note. */
  move(place: number, ref: SeriesRef, key: KeyAt): void {
    const slot = this.#slotOf(place, ref);
    if (slot !== NO_SLOT) this.#words[slot + KEY] = key;
  }

  /** Notes that the overflow is empty: no search needs to look there. */
  clearOverflowed(): void {
    this.segments.clearOverflowed();
  }

  /** Calls `visit` with the byte offset and the size of each segment. */
  forEachSegment(visit: (at: number, bytes: number) => void): void {
    this.segments.forEach(visit);
  }

  dispose(): void {
    this.segments.dispose();
  }

  /** The slot of a series, or NO_SLOT when it is in none. */
  #slotOf(place: number, ref: SeriesRef): number {
    const words = this.#words;
    const base = this.segments.start(place);
    const home = place >>> HOME_SHIFT;
    const wanted = ref | 0;
    for (let probe = 0; probe < PROBES_MAX; probe += 1) {
      const slot = base + (((home + probe) & SLOT_MASK) << SLOT_SHIFT);
      const held = words[slot + REF]!;
      if (held === wanted) return slot;
      if (held === 0) return NO_SLOT;
    }
    return NO_SLOT;
  }

  /** The first empty slot of a run, or NO_SLOT when it is longer than the bound. */
  #vacancy(place: number): number {
    const words = this.#words;
    const base = this.segments.start(place);
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
      copySlot(words, slot, words, base + (gap << SLOT_SHIFT));
      gap = index;
    }
    words[base + (gap << SLOT_SHIFT) + REF] = 0;
  }

  /** Parts the segment of `place` in two by the next bit of its places. False when it cannot. */
  #split(place: number): boolean {
    const number = this.segments.number(place);
    const base = this.segments.start(place);
    const bit = 1 << this.segments.depths[number]!;
    const fresh = this.segments.split(place);
    if (fresh < 0) return false;
    const parted = this.#part(base, this.segments.start((place & (bit - 1)) | bit), bit);
    this.segments.series[fresh] = parted;
    this.segments.series[number]! -= parted;
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
      const index = emptyFrom(words, to, place >>> HOME_SHIFT);
      copySlot(scratch, from, words, to + (index << SLOT_SHIFT));
      if (to === fresh) parted += 1;
    }
    return parted;
  }

  /** Joins the segment of `place` with the one that a split parted from it, if few series are left in both. */
  #join(place: number): void {
    const segments = this.segments;
    const twin = segments.twin(place);
    if (twin < 0) return;
    const both = segments.series[twin]! + segments.series[segments.number(place)]!;
    if (both > MERGED_SERIES_MAX) return;
    const base = segments.start(place);
    this.#scratch.fill(0);
    if (!this.#gather(base) || !this.#gather(segments.twinStart(place))) return;
    this.#words.set(this.#scratch, base);
    segments.merge(place);
  }

  /** Adds the slots of a segment to those in `#scratch`. False when one would lie too far from its home. */
  #gather(base: number): boolean {
    const words = this.#words;
    const scratch = this.#scratch;
    for (let slot = base; slot < base + SEGMENT_WORDS; slot += SLOT_WORDS) {
      if (words[slot + REF] === 0) continue;
      const home = this.place(words[slot + LOW]!, words[slot + HIGH]!) >>> HOME_SHIFT;
      const index = emptyFrom(scratch, 0, home);
      if (((index - home) & SLOT_MASK) >= PROBES_MAX) return false;
      copySlot(words, slot, scratch, index << SLOT_SHIFT);
    }
    return true;
  }
}
