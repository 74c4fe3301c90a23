import type { Row } from "../row.ts";
import { CHUNK_FILE_ROW } from "./fuzz-chunk-file.ts";
import { CHUNK_ROW } from "./fuzz-chunk.ts";
import { INDEX_ROW } from "./fuzz-index.ts";
import { KEY_ROW } from "./fuzz-key.ts";
import { META_ROW } from "./fuzz-meta.ts";
import { RECORD_ROW } from "./fuzz-record.ts";
import { SEALED_ROW } from "./fuzz-sealed.ts";
import { SELECTOR_ROW } from "./fuzz-selector.ts";
import { TEXT_ROWS } from "./fuzz-text.ts";
import { TOMBSTONES_ROW } from "./fuzz-tombstones.ts";
import { ULID_ROW } from "./fuzz-ulid.ts";
import { WAL_ROW } from "./fuzz-wal.ts";

/** Sound, changed and random inputs for everything that reads bytes nobody trusts, one row for each decoder. */
export const FUZZ_ROWS: readonly Row[] = [
  WAL_ROW,
  RECORD_ROW,
  CHUNK_ROW,
  SEALED_ROW,
  INDEX_ROW,
  CHUNK_FILE_ROW,
  META_ROW,
  TOMBSTONES_ROW,
  KEY_ROW,
  ...TEXT_ROWS,
  SELECTOR_ROW,
  ULID_ROW,
];
