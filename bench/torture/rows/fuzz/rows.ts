import type { Row } from "../../row.ts";
import { CHUNK_FILE_ROW } from "./chunk-file.ts";
import { CHUNK_ROW } from "./chunk.ts";
import { INDEX_ROW } from "./index.ts";
import { KEY_ROW } from "./key.ts";
import { META_ROW } from "./meta.ts";
import { RECORD_ROW } from "./record.ts";
import { SEALED_ROW } from "./sealed.ts";
import { SELECTOR_ROW } from "./selector.ts";
import { TEXT_ROWS } from "./text.ts";
import { TOMBSTONES_ROW } from "./tombstones.ts";
import { ULID_ROW } from "./ulid.ts";
import { WAL_ROW } from "./wal.ts";

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
