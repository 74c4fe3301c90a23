/** A record's first byte. 1 and 2 are Prometheus'; readers of its log skip what lies above 127. */
export const SERIES_RECORD = 1;
export const SAMPLES_RECORD = 2;
export const INLINE_RECORD = 131;

/** Bytes of a ref, of a start time and of a value. */
export const WORD_BYTES = 8;
