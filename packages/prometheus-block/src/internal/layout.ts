/**
 * Names and numbers of a Prometheus v1 block, as `tsdb/docs/format` of Prometheus has them. All fixed-size
 * integers are big-endian.
 */

/** Files of a block's directory. */
export const META_FILE = "meta.json";
export const INDEX_FILE = "index";
export const TOMBSTONES_FILE = "tombstones";
export const CHUNKS_DIRECTORY = "chunks";

/** A block that is being built, or being removed, carries one of these after its ULID. */
export const CREATION_SUFFIX = ".tmp-for-creation";
export const DELETION_SUFFIX = ".tmp-for-deletion";

/** Begins every chunk segment: four bytes, then a version byte and three bytes of zero. */
export const CHUNKS_MAGIC = 0x85bd40dd;
export const CHUNKS_VERSION = 1;
export const SEGMENT_HEADER_BYTES = 8;

/** Begins `index`: four bytes, then a version byte. */
export const INDEX_MAGIC = 0xbaaad700;
export const INDEX_VERSION = 2;
export const INDEX_HEADER_BYTES = 5;

/** Begins `tombstones`: four bytes, then a version byte. */
export const TOMBSTONES_MAGIC = 0x0130ba30;
export const TOMBSTONES_VERSION = 1;
export const TOMBSTONES_HEADER_BYTES = 5;

/** The only version of `meta.json`. */
export const META_VERSION = 1;

/** A series entry starts at a multiple of this; its id is the offset divided by it. */
export const SERIES_ALIGN = 16;
/** Sections of the postings area and of the legacy label indices start at a multiple of this. */
export const SECTION_ALIGN = 4;

/** The table of contents is the end of `index`: six offsets of 64 bits and their checksum. */
export const TOC_BYTES = 6 * 8 + 4;
/** Positions of the offsets in the table of contents, in words of 64 bits. */
export const TOC_SYMBOLS = 0;
export const TOC_SERIES = 1;
export const TOC_LABEL_INDICES = 2;
export const TOC_LABEL_OFFSET_TABLE = 3;
export const TOC_POSTINGS = 4;
export const TOC_POSTINGS_TABLE = 5;

/** Size of a CRC-32C, and of the length before a section's body. */
export const CRC_BYTES = 4;
export const LENGTH_BYTES = 4;

/** Parts of an entry of the label offset table: the name. Of the postings offset table: name and value. */
export const LABEL_TABLE_PARTS = 1;
export const POSTINGS_TABLE_PARTS = 2;

/** The upper half of a chunk reference is the segment's place in the sorted listing, counted from 0. */
export const SEGMENT_STEP = 2 ** 32;

/** Name of the chunk segment at a place, counted from 0: `000001` is the first. */
export function segmentName(place: number): string {
  return String(place + 1).padStart(6, "0");
}

/** The name of a block's directory: the last part of its path. */
export function blockName(dir: string): string | undefined {
  return dir.split(/[/\\]/).findLast((part) => part !== "");
}
