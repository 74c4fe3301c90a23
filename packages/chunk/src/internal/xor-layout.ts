/** How an XOR appender keeps its state, and the bounds of a chunk. */

/** Bytes of state: four doubles, of which the last two are used as four words. */
export const STATE_BYTES = 32;

/** Doubles: the last sample's time, and behind it the one before. Two times stay exact where their difference would not. */
export const LAST_TIME = 0;

/** Words: the last value, and the bits that the chunk takes, its header included. */
export const VALUE_LOW = 4;
export const VALUE_HIGH = 5;
export const BITS = 6;

/**
 * Word: samples in the low 16 bits; then, of the window of the last changed value, 5 bits of leading zeros and 7 bits
 * of its length. A length of 0 means that there is no window yet.
 */
export const PACKED = 7;
export const COUNT_MASK = 0xffff;

/** What the two-byte header can count. */
export const COUNT_MAX = 65_535;

/** Bytes before the first sample: its number of samples. */
export const HEADER_BYTES = 2;

/** Header, varint of a safe integer (8 bytes), value (8 bytes). */
export const FIRST_BYTES_MAX = HEADER_BYTES + 8 + 8;

/** A chunk's longest sample: 4 + 64 bits of time, 2 + 5 + 6 + 64 bits of value. */
export const SAMPLE_BITS_MAX = 145;

/** From here on, doubles skip integers. */
export const TWO_53 = 2 ** 53;
export const TWO_32 = 2 ** 32;
