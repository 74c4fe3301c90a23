import { crc32c, readU32, readU64 } from "@varve/bytes";
import { assert, type Disk, type Lsn } from "@varve/contracts";
import { readFully } from "@varve/disk/transfer";
import {
  FULL,
  HEADER_BYTES,
  SEGMENT_BYTES,
  SEGMENT_HEAD_BYTES,
  SEGMENT_TYPE,
  STORE_ID_BYTES,
} from "./layout.ts";

/** A store's id as bytes, from its 32 hex digits. */
export function bytesOfStoreId(text: string): Uint8Array {
  assert(/^[0-9a-f]{32}$/i.test(text), `a store id has 32 hex digits, got ${text}`);
  const bytes = new Uint8Array(STORE_ID_BYTES);
  for (let i = 0; i < bytes.length; i += 1) {
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/** The 32 hex digits of a store's id. */
export function textOfStoreId(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** What the first record of a segment or checkpoint says. */
export interface SegmentHead {
  /** 32 hex digits. */
  readonly storeId: string;
  readonly firstLsn: Lsn;
}

/** Reads a file's first record; undefined where there is none that is intact. */
export function readHead(disk: Disk, path: string): SegmentHead | undefined {
  const bytes = new Uint8Array(SEGMENT_HEAD_BYTES);
  const fd = disk.open(path, "read");
  try {
    if (readFully(disk, fd, bytes, 0, bytes.length, 0) < bytes.length) return undefined;
  } finally {
    disk.close(fd);
  }
  const isHead =
    bytes[0] === FULL && bytes[2] === SEGMENT_BYTES && bytes[HEADER_BYTES] === SEGMENT_TYPE;
  if (!isHead || bytes[1] !== 0) return undefined;
  if (crc32c(bytes, HEADER_BYTES, SEGMENT_HEAD_BYTES) !== readU32(bytes, 3)) return undefined;
  const idAt = HEADER_BYTES + 2;
  const storeId = textOfStoreId(bytes.subarray(idAt, idAt + STORE_ID_BYTES));
  return { storeId, firstLsn: readU64(bytes, idAt + STORE_ID_BYTES) };
}
