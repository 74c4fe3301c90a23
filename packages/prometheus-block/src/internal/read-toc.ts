import { crc32c, readU32, readU64 } from "@varve/bytes";
import {
  CRC_BYTES,
  INDEX_HEADER_BYTES,
  INDEX_MAGIC,
  INDEX_VERSION,
  TOC_BYTES,
  TOC_LABEL_INDICES,
  TOC_LABEL_OFFSET_TABLE,
  TOC_POSTINGS,
  TOC_POSTINGS_TABLE,
  TOC_SERIES,
  TOC_SYMBOLS,
} from "./layout.ts";
import { corrupt, unsupported } from "./read-errors.ts";
import type { BlockFile } from "./read-file.ts";

/** Where the sections of an index lie, checked to be in order and inside the file. */
export interface IndexPlaces {
  readonly symbols: number;
  readonly series: number;
  /** The series section ends here. */
  readonly seriesEnd: number;
  /** Postings lists lie below this: the table that points at them comes last. */
  readonly postingsTable: number;
  /** The table of contents begins here. */
  readonly end: number;
  /** As stored. Writers leave out the sections of the last two, or not. */
  readonly postings: number;
  readonly labelIndices: number;
  readonly labelOffsetTable: number;
}

/** Checks an index's header and reads its table of contents. Throws BLOCK_CORRUPT, or UNSUPPORTED_VERSION. */
export function readPlaces(file: BlockFile): IndexPlaces {
  const { path, size } = file;
  const bytes = new Uint8Array(TOC_BYTES);
  if (size < INDEX_HEADER_BYTES + TOC_BYTES) throw corrupt(path, size, "the index is cut off");
  file.read(bytes, 0, INDEX_HEADER_BYTES, 0);
  if (readU32(bytes, 0) !== INDEX_MAGIC) throw corrupt(path, 0, "it does not begin as an index");
  const version = bytes[4]!;
  if (version !== INDEX_VERSION) throw unsupported(path, 4, version);
  const end = size - TOC_BYTES;
  file.read(bytes, 0, TOC_BYTES, end);
  const sum = TOC_BYTES - CRC_BYTES;
  if (crc32c(bytes, 0, sum) !== readU32(bytes, sum)) {
    throw corrupt(path, end, "the table of contents has a wrong checksum");
  }
  const symbols = readU64(bytes, 8 * TOC_SYMBOLS);
  const series = readU64(bytes, 8 * TOC_SERIES);
  const labelIndices = readU64(bytes, 8 * TOC_LABEL_INDICES);
  const labelOffsetTable = readU64(bytes, 8 * TOC_LABEL_OFFSET_TABLE);
  const postings = readU64(bytes, 8 * TOC_POSTINGS);
  const postingsTable = readU64(bytes, 8 * TOC_POSTINGS_TABLE);
  const inOrder =
    symbols >= INDEX_HEADER_BYTES &&
    symbols <= series &&
    series <= labelIndices &&
    labelIndices <= postingsTable &&
    postingsTable <= end;
  if (!inOrder) throw corrupt(path, end, "the table of contents points outside");
  const seriesEnd = labelIndices;
  const stored = { postings, labelIndices, labelOffsetTable };
  return { symbols, series, seriesEnd, postingsTable, end, ...stored };
}
