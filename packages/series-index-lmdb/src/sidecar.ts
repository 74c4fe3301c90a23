import { crc32 } from "node:zlib";
import { crc32c } from "@varve/bytes";
import type { Disk } from "@varve/contracts";
import { readAll, writeFileDurably } from "@varve/disk/transfer";

/** Largest sidecar that is read, in bytes. */
const SIDECAR_BYTES_MAX = 4096;
/** Bytes checksummed between two turns of the event loop: about 10 ms. */
const SLICE_BYTES = 16 * 1024 * 1024;

/** What is known of the data file outside of it. */
export interface Sidecar {
  readonly storeId: string;
  /** True after a clean close, with the file's size and CRC-32; false from before the first write on. */
  readonly clean: boolean;
  readonly size: number;
  readonly checksum: number;
  readonly generation: number;
  readonly entries: number;
}

/** Replaces the sidecar; it is durable on return. */
export function writeSidecar(disk: Disk, path: string, sidecar: Sidecar): void {
  const text = JSON.stringify(sidecar);
  const bytes = Buffer.from(text);
  const sum = crc32c(bytes, 0, bytes.length).toString(16).padStart(8, "0");
  writeFileDurably(disk, path, Buffer.from(`${sum} ${text}\n`));
}

/** Reads the sidecar; undefined when there is none or it is damaged. */
export function readSidecar(disk: Disk, path: string): Sidecar | undefined {
  if (disk.kind(path) !== "file") return undefined;
  const bytes = Buffer.from(readAll(disk, path, { bytesMax: SIDECAR_BYTES_MAX }));
  const sum = Number.parseInt(bytes.toString("latin1", 0, 8), 16);
  const until = bytes.length - 1;
  if (until < 9 || sum !== crc32c(bytes, 9, until)) return undefined;
  return JSON.parse(bytes.toString("utf8", 9, until)) as Sidecar;
}

/** Size and CRC-32 of a whole file, read through the disk; lets other work run between slices. */
export async function checksumFile(
  disk: Disk,
  path: string,
): Promise<Pick<Sidecar, "size" | "checksum">> {
  const fd = disk.open(path, "read");
  try {
    const size = disk.size(fd);
    const slice = Buffer.allocUnsafe(Math.min(1024 * 1024, Math.max(1, size)));
    let checksum = 0;
    for (let at = 0; at < size;) {
      const count = disk.read(fd, slice, 0, slice.length, at);
      if (count === 0) break;
      checksum = crc32(slice.subarray(0, count), checksum);
      if (Math.floor(at / SLICE_BYTES) !== Math.floor((at + count) / SLICE_BYTES)) {
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      at += count;
    }
    return { size, checksum };
  } finally {
    disk.close(fd);
  }
}
