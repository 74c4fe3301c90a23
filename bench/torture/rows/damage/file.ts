import type { Random } from "@varve/bytes";

/** Bytes of a file: from … until-1. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/** What a file holds after something happened to it. */
export interface Damage {
  /** `moved`: something intact lies where it does not belong. */
  readonly kind: "cut" | "flipped" | "overwritten" | "moved";
  /** The first byte that is not what it was. */
  readonly from: number;
  readonly bytes: Uint8Array;
  /** For whoever reads of it. */
  readonly text: string;
}

/** A file to be damaged. */
export interface Original {
  readonly bytes: Uint8Array;
  /** Where it is damaged: every byte here is cut at and has every bit flipped. */
  readonly spans: readonly Span[];
  /** Records, entries or chunks: what a disk may put twice, or in another's place. */
  readonly frames: readonly Span[];
  /** Files of the same kind: of this store, and of another one. */
  readonly others: readonly Uint8Array[];
}

export const SECTOR_BYTES = 512;
/** Begins what is said of damage that brings sound bytes from elsewhere. */
const MOVED = "misdirected:";
/** So much of every file is damaged exhaustively, in bytes: what the table of faults asks for. */
export const DAMAGED_BYTES = 12 * 1024;

/** Spans of 12 KiB together: the beginning of a file, its end, and what lies around the places given. */
export function spansOf(
  size: number,
  until: number = size,
  around: readonly number[] = [],
): Span[] {
  if (size <= DAMAGED_BYTES) return [{ from: 0, until: size }];
  const part = Math.floor(DAMAGED_BYTES / (2 + around.length) / 2) * 2;
  const ends = Math.min(size, Math.max(until, part));
  const middles = around.map((at) => ({ from: at - part / 2, until: at + part / 2 }));
  return [
    { from: 0, until: DAMAGED_BYTES - part * (1 + around.length) },
    ...middles,
    { from: ends - part, until: ends },
  ];
}

export function bytesIn(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, until }) => sum + until - from, 0);
}

/** What can happen to a file. */
export type DamageWay = "truncate" | "flip" | "scribble";

/** The `index`-th damage of its kind; scribbles are drawn, and have no order. */
export function damageOf(
  way: DamageWay,
  original: Original,
  index: number,
  random: Random,
): Damage {
  if (way === "truncate") return cut(original, index);
  return way === "flip" ? flip(original, index) : scribble(original, random);
}

/** The file, cut at the `index`-th of its places. */
function cut({ bytes, spans }: Original, index: number): Damage {
  const size = placeOf(spans, index);
  const text = `cut to ${size} of ${bytes.length} bytes`;
  return { kind: "cut", from: size, bytes: bytes.slice(0, size), text };
}

/** The file with the `index`-th of its bits turned. */
function flip({ bytes, spans }: Original, index: number): Damage {
  const at = placeOf(spans, Math.floor(index / 8));
  const flipped = bytes.slice();
  flipped[at]! ^= 1 << (index % 8);
  const text = `bit ${index % 8} of byte ${at} flipped`;
  return { kind: "flipped", from: at, bytes: flipped, text };
}

/** The file with a few bytes overwritten, or sectors or frames where they do not belong. */
function scribble(original: Original, random: Random): Damage {
  const { bytes } = original;
  const changed = bytes.slice();
  const text = draw(original, changed, random);
  if (typeof text !== "string") return text;
  const kind = text.startsWith(MOVED) ? "moved" : "overwritten";
  return { kind, from: firstChange(bytes, changed), bytes: changed, text };
}

/** Scribbles in `changed` and says what; or answers a file that has got longer. */
function draw(original: Original, changed: Uint8Array, random: Random): string | Damage {
  const { bytes, spans, frames, others } = original;
  const at = placeOf(spans, random.below(bytesIn(spans)));
  const sector = Math.floor(at / SECTOR_BYTES) * SECTOR_BYTES;
  const other = Math.floor(random.below(bytes.length) / SECTOR_BYTES) * SECTOR_BYTES;
  const frame = frames.length > 0 ? random.pick(frames) : { from: at, until: at + 1 };
  const next = frames.length > 0 ? random.pick(frames) : frame;
  switch (random.below(7)) {
    case 0: {
      const from = Math.max(0, Math.min(at, bytes.length - 4));
      const word = random.pick([0, 0xffffffff, random.word(), from]);
      for (let i = 0; i < 4 && from + i < bytes.length; i += 1)
        changed[from + i] = word >>> (8 * i);
      return `4 bytes at ${from} overwritten with ${(word >>> 0).toString(16)}`;
    }
    case 1:
      changed.fill(0, sector, sector + SECTOR_BYTES);
      return `sector at ${sector} zeroed`;
    case 2: {
      copySector(bytes, sector, changed, other);
      copySector(bytes, other, changed, sector);
      return `${MOVED} sectors at ${sector} and ${other} are swapped`;
    }
    case 3:
      copySector(bytes, sector, changed, other);
      return `${MOVED} the sector at ${sector} is at ${other}, too`;
    case 4: {
      const count = Math.min(frame.until - frame.from, bytes.length - next.from);
      changed.set(bytes.subarray(frame.from, frame.from + count), next.from);
      return `${MOVED} the frame at ${frame.from} is at ${next.from}, too`;
    }
    case 5:
      return inserted(bytes, frame, next.from);
    default: {
      const from = random.chance(0.5) ? frame.from : sector;
      const until = from === frame.from ? frame.until : sector + SECTOR_BYTES;
      const donor = others.length > 0 ? random.pick(others) : bytes;
      const piece = donor.subarray(from, Math.min(until, bytes.length));
      changed.set(piece, from);
      return `${MOVED} ${piece.length} bytes at ${from} are another file's`;
    }
  }
}

/** A frame once more, in front of another: what follows moves on. */
function inserted(bytes: Uint8Array, frame: Span, at: number): Damage {
  const piece = bytes.subarray(frame.from, frame.until);
  const longer = new Uint8Array(bytes.length + piece.length);
  longer.set(bytes.subarray(0, at), 0);
  longer.set(piece, at);
  longer.set(bytes.subarray(at), at + piece.length);
  const text = `${MOVED} the frame at ${frame.from} is inserted at ${at}`;
  return { kind: "moved", from: firstChange(bytes, longer), bytes: longer, text };
}

function firstChange(bytes: Uint8Array, changed: Uint8Array): number {
  let at = 0;
  while (at < bytes.length && changed[at] === bytes[at]) at += 1;
  return at;
}

function copySector(from: Uint8Array, fromAt: number, into: Uint8Array, at: number): void {
  const piece = from.subarray(fromAt, fromAt + SECTOR_BYTES);
  into.set(piece.subarray(0, Math.max(0, into.length - at)), at);
}

function placeOf(spans: readonly Span[], index: number): number {
  let left = index;
  for (const { from, until } of spans) {
    if (left < until - from) return from + left;
    left -= until - from;
  }
  throw new Error(`there is no place ${index}`);
}
