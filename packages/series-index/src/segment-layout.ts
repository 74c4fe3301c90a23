import { SEGMENT_SLOTS, SLOT_WORDS } from "./segments.ts";

/** Where the words of a slot lie. A slot is empty when its ref is 0, whatever its hash. */
export const LOW = 0;
export const HIGH = 1;
export const REF = 2;
export const KEY = 3;
export const SLOT_SHIFT = 2;
export const SLOT_MASK = SEGMENT_SLOTS - 1;
/** A place's highest nine bits choose the slot. */
export const HOME_SHIFT = 23;

/** Copies a slot. Four stores: `copyWithin` costs 20 times as much for so few. */
export function copySlot(from: Int32Array, slot: number, to: Int32Array, target: number): void {
  to[target + LOW] = from[slot + LOW]!;
  to[target + HIGH] = from[slot + HIGH]!;
  to[target + REF] = from[slot + REF]!;
  to[target + KEY] = from[slot + KEY]!;
}

/** The first empty slot from a home on in a segment that starts at `base`: its index. There is always one. */
export function emptyFrom(words: Int32Array, base: number, home: number): number {
  let index = home;
  while (words[base + index * SLOT_WORDS + REF] !== 0) index = (index + 1) & SLOT_MASK;
  return index;
}
