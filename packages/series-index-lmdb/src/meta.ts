import { crc32c } from "@varve/bytes";

/** Layout of the index. Another number means: build it anew. */
export const META_VERSION = 1;

/** What the index says about itself, written in every transaction. */
export interface Meta {
  /** 32 hex digits of the store whose series these are. */
  readonly storeId: string;
  /** 16 hex digits: the seed of the hashes under which the entries lie. */
  readonly seed: string;
  /** 32 hex digits: the key of the collision numbers. */
  readonly secret: string;
  /** The log's batches that the entries cover. */
  readonly coveredLsn: number;
  readonly nextRef: number;
  readonly entries: number;
  /** Transactions since the index was made. */
  readonly generation: number;
}

/** Encodes with a version and a checksum. */
export function encodeMeta(meta: Meta): Uint8Array {
  const text = Buffer.from(JSON.stringify({ version: META_VERSION, ...meta }));
  const bytes = new Uint8Array(4 + text.length);
  bytes.set(text, 4);
  new DataView(bytes.buffer).setUint32(0, crc32c(bytes, 4, bytes.length));
  return bytes;
}

/** Decodes; undefined when the bytes are damaged or of another version. */
export function decodeMeta(bytes: Uint8Array | undefined): Meta | undefined {
  if (bytes === undefined || bytes.length < 4) return undefined;
  const checksum = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (checksum !== crc32c(bytes, 4, bytes.length)) return undefined;
  // The checksum fits, so these are bytes that `encodeMeta` of some version made.
  const meta = JSON.parse(Buffer.from(bytes.subarray(4)).toString()) as Meta & { version: number };
  return meta.version === META_VERSION ? meta : undefined;
}
