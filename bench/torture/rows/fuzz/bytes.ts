import { type Random, writeU32 } from "@varve/bytes";

/** Numbers at which something changes: signs, widths of fields and varints, the safe integers. */
const EXTREMES = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x3fffn,
  0x4000n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x1f_ffffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_fff0n,
  0xffff_ffffn,
  0x1_0000_0000n,
  (1n << 53n) - 1n,
  1n << 53n,
  (1n << 53n) + 1n,
  (1n << 62n) + 1n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
];
/** Runs of random bytes are mostly this short. */
const RUN_BYTES_MAX = 24;

type Change = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

/**
 * Changes an input in one to four places: bits, bytes, fixed-width numbers and varints, spans that go, come, repeat, move
 * or are another input's. `keepsLength` is the share of changes that leave everything where it is.
 */
export function mutate(
  random: Random,
  bytes: Uint8Array,
  other: Uint8Array,
  keepsLength: number,
): Uint8Array {
  let out: Uint8Array = new Uint8Array(bytes); // A copy: that of a Buffer by `slice` is none.
  do {
    const changes = random.chance(keepsLength) ? OVERWRITES : MOVES;
    out = random.pick(changes)(out, random, other);
  } while (random.chance(0.35));
  return out;
}

/** Bytes that are nothing: all kinds of them, or of few kinds. */
export function garbage(random: Random): Uint8Array {
  const length = random.chance(0.9) ? random.below(200) : random.below(8192);
  const kinds = random.chance(0.5) ? 256 : 1 + random.below(6);
  return Uint8Array.from({ length }, () => random.below(kinds));
}

/** A number as an unsigned varint, maybe with more bytes than it needs. */
export function uvarintOf(value: bigint, random?: Random): Uint8Array {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 128n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  out.push(Number(rest));
  if (random?.chance(0.1) === true) {
    out[out.length - 1]! |= 128;
    out.push(0);
  }
  return Uint8Array.from(out);
}

const flipBit: Change = (bytes, random) => {
  if (bytes.length > 0) bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  return bytes;
};

const setByte: Change = (bytes, random) => {
  if (bytes.length === 0) return bytes;
  bytes[random.below(bytes.length)] = random.chance(0.5)
    ? random.pick([0, 1, 2, 3, 0x7f, 0x80, 0xfe, 0xff])
    : random.below(256);
  return bytes;
};

const nudgeByte: Change = (bytes, random) => {
  if (bytes.length > 0) bytes[random.below(bytes.length)]! += random.pick([1, -1, 2, -2, 16, -16]);
  return bytes;
};

/** Overwrites a field of two, four or eight bytes, big-endian. */
const setNumber: Change = (bytes, random) => {
  const width = random.pick([2, 4, 4, 8]);
  if (bytes.length < width) return bytes;
  const at = random.below(bytes.length - width + 1);
  const value = random.chance(0.7) ? random.pick(EXTREMES) : BigInt(random.below(bytes.length * 2));
  const whole = new Uint8Array(8);
  writeU32(whole, 0, Number((value >> 32n) & 0xffff_ffffn));
  writeU32(whole, 4, Number(value & 0xffff_ffffn));
  bytes.set(whole.subarray(8 - width), at);
  return bytes;
};

const setVarint: Change = (bytes, random) => {
  const varint = uvarintOf(random.pick(EXTREMES), random);
  if (bytes.length < varint.length) return bytes;
  bytes.set(varint, random.below(bytes.length - varint.length + 1));
  return bytes;
};

const fillSpan: Change = (bytes, random) => {
  const [from, until] = spanOf(bytes, random);
  return bytes.fill(random.pick([0, 0, 0xff, random.below(256)]), from, until);
};

const copySpan: Change = (bytes, random) => {
  const [from, until] = spanOf(bytes, random);
  return bytes.copyWithin(random.below(bytes.length + 1), from, until);
};

const pasteOther: Change = (bytes, random, other) => {
  const [from, until] = spanOf(other, random);
  const at = random.below(bytes.length + 1);
  bytes.set(other.subarray(from, Math.min(until, from + bytes.length - at)), at);
  return bytes;
};

const deleteSpan: Change = (bytes, random) => {
  const [from, until] = spanOf(bytes, random);
  return replaced(bytes, from, until, new Uint8Array(0));
};

const insertRandom: Change = (bytes, random) => {
  const at = random.below(bytes.length + 1);
  const length = 1 + random.below(random.chance(0.9) ? RUN_BYTES_MAX : 600);
  return replaced(
    bytes,
    at,
    at,
    Uint8Array.from({ length }, () => random.below(256)),
  );
};

const insertVarint: Change = (bytes, random) => {
  const at = random.below(bytes.length + 1);
  const until = random.chance(0.5) ? Math.min(bytes.length, at + 1) : at;
  return replaced(bytes, at, until, uvarintOf(random.pick(EXTREMES), random));
};

/** Repeats a span behind itself: once, or many times. */
const repeatSpan: Change = (bytes, random) => {
  const [from, until] = spanOf(bytes, random);
  const span = bytes.slice(from, until);
  const times = random.chance(0.9) ? 1 : 2 + random.below(60);
  const all = new Uint8Array(span.length * times);
  for (let i = 0; i < times; i += 1) all.set(span, i * span.length);
  return replaced(bytes, until, until, all);
};

const insertOther: Change = (bytes, random, other) => {
  const [from, until] = spanOf(other, random);
  const at = random.below(bytes.length + 1);
  return replaced(bytes, at, at, other.subarray(from, until));
};

/** The beginning of this input and the end of the other. */
const crossOver: Change = (bytes, random, other) =>
  replaced(
    bytes,
    random.below(bytes.length + 1),
    bytes.length,
    other.subarray(random.below(other.length + 1)),
  );

const truncate: Change = (bytes, random) => bytes.slice(0, random.below(bytes.length + 1));

const dropFront: Change = (bytes, random) => bytes.slice(random.below(bytes.length + 1));

const extend: Change = (bytes, random) => {
  const more = new Uint8Array(1 + random.below(random.chance(0.9) ? 40 : 4000));
  return replaced(bytes, bytes.length, bytes.length, more.fill(random.pick([0, 0xff, 0x20])));
};

const OVERWRITES: readonly Change[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  nudgeByte,
  nudgeByte,
  setNumber,
  setNumber,
  setVarint,
  fillSpan,
  copySpan,
  pasteOther,
];

const MOVES: readonly Change[] = [
  deleteSpan,
  insertRandom,
  insertVarint,
  insertVarint,
  repeatSpan,
  insertOther,
  crossOver,
  truncate,
  dropFront,
  extend,
];

/** A span of the input: mostly short, sometimes up to all of it. */
function spanOf(bytes: Uint8Array, random: Random): [number, number] {
  const from = random.below(bytes.length + 1);
  const most = bytes.length - from;
  const length = random.chance(0.8) ? Math.min(most, 1 + random.below(RUN_BYTES_MAX)) : most;
  return [from, from + (length === most ? random.below(most + 1) : length)];
}

/** The bytes with others in place of from … until-1. */
export function replaced(
  bytes: Uint8Array,
  from: number,
  until: number,
  by: Uint8Array,
): Uint8Array {
  const out = new Uint8Array(bytes.length - (until - from) + by.length);
  out.set(bytes.subarray(0, from), 0);
  out.set(by, from);
  out.set(bytes.subarray(until), from + by.length);
  return out;
}
