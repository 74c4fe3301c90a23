/** Names and numbers of Prometheus' segment framing, and of the three private records that the log adds. */

/** Segments are made of pages, in bytes. The framing has them in 16-bit lengths, so they cannot change. */
export const PAGE_BYTES = 32_768;
export const PAGE_MASK = PAGE_BYTES - 1;
/** Before each fragment: u8 type, u16 length, u32 CRC-32C of the fragment. */
export const HEADER_BYTES = 7;

/** Types of fragments. Zero ends a page: the rest of it is zero. */
export const FULL = 1;
export const FIRST = 2;
export const MIDDLE = 3;
export const LAST = 4;

/** Closes a batch: u8 version, u32 records, u64 lsn, u64 durableLsn, u32 chain. */
export const COMMIT_TYPE = 128;
export const COMMIT_BYTES = 26;
/** Opens a segment: u8 version, 16 B store id, u64 first lsn, u32 chain. */
export const SEGMENT_TYPE = 129;
export const SEGMENT_BYTES = 30;
/** Ends a log that was closed: u64 last lsn, u32 chain. */
export const END_TYPE = 130;
export const END_BYTES = 13;

export const VERSION = 1;
export const STORE_ID_BYTES = 16;
/** What a segment holds before its first batch, in bytes. */
export const SEGMENT_HEAD_BYTES = HEADER_BYTES + SEGMENT_BYTES;

/** True for the types of records that only the log itself writes. */
export function isReserved(type: number): boolean {
  return type >= COMMIT_TYPE && type <= END_TYPE;
}

export function segmentName(segment: number): string {
  return String(segment).padStart(8, "0");
}

export function checkpointName(segment: number): string {
  return `checkpoint.${segmentName(segment)}`;
}

/** The number that a segment's name says; -1 for another name. */
export function segmentOf(name: string): number {
  return /^\d{8,15}$/.test(name) ? Number(name) : -1;
}

/** The last segment that a checkpoint stands for; -1 for a name that is not a finished checkpoint's. */
export function checkpointOf(name: string): number {
  return name.startsWith("checkpoint.") ? segmentOf(name.slice("checkpoint.".length)) : -1;
}

/** The end of the page that holds the byte before `offset`. */
export function pageEnd(offset: number): number {
  return Math.ceil(offset / PAGE_BYTES) * PAGE_BYTES;
}

/**
 * The most bytes that a batch takes in a segment, its commit record included, wherever in a page it starts:
 * a header for each record, and at each end of a page a further header or up to six bytes of padding.
 */
export function framedBytesMax(records: number, bytes: number): number {
  const framed = bytes + COMMIT_BYTES + HEADER_BYTES * (records + 1);
  return framed + HEADER_BYTES * (Math.floor(framed / (PAGE_BYTES - HEADER_BYTES)) + 2);
}
