import { writeU32 } from "@varve/bytes";
import type { Disk } from "@varve/contracts";
import {
  CRC_BYTES,
  META_FILE,
  TOMBSTONES_FILE,
  TOMBSTONES_HEADER_BYTES,
  TOMBSTONES_MAGIC,
  TOMBSTONES_VERSION,
} from "./layout.ts";
import { type BlockMeta, encodeMeta } from "./meta-json.ts";
import { OutputFile } from "./write-output.ts";

/** Writes the `meta.json` of a block that is being built, durably. */
export async function writeMetaFile(disk: Disk, dir: string, meta: BlockMeta): Promise<void> {
  await writeFile(disk, `${dir}/${META_FILE}`, encodeMeta(meta));
}

/** Writes the tombstones of a block of which nothing is deleted: a header, and the checksum of nothing, which is 0. */
export async function writeTombstonesFile(disk: Disk, dir: string): Promise<void> {
  const bytes = new Uint8Array(TOMBSTONES_HEADER_BYTES + CRC_BYTES);
  writeU32(bytes, 0, TOMBSTONES_MAGIC);
  bytes[4] = TOMBSTONES_VERSION;
  await writeFile(disk, `${dir}/${TOMBSTONES_FILE}`, bytes);
}

async function writeFile(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const file = new OutputFile(disk, path, bytes);
  try {
    file.at = bytes.length;
    await file.finish();
  } finally {
    file.close();
  }
}
