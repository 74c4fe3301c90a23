/** CRC-32C (Castagnoli), reflected: the checksum of every Prometheus file. Check value: e3069283. */

import { isStorageError } from "@varve/contracts";
import { loadOwnKernel } from "./kernel.ts";

const POLYNOMIAL = 0x82f63b78;
/** Slicing-by-8: eight tables of 256 words, one after the other. */
const TABLE = makeTable();

/** From here on, a copy into the kernel's memory costs less than it saves. */
const KERNEL_BYTES_MIN = 1024;

/**
 * Extends `crc` (0 for a start) by bytes[from … until), and returns an unsigned word.
 * crc32c(b, crc32c(a)) is the checksum of a followed by b.
 */
export function crc32c(bytes: Uint8Array, from: number, until: number, crc = 0): number {
  if (until - from < KERNEL_BYTES_MIN) return plainCrc32c(bytes, from, until, crc);
  kernel ??= openKernel();
  return kernel(bytes, from, until, crc);
}

/** The same without a kernel. */
export function plainCrc32c(bytes: Uint8Array, from: number, until: number, crc: number): number {
  const table = TABLE;
  let c = ~crc;
  let i = from;
  for (; i + 8 <= until; i += 8) {
    c ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    c =
      table[1792 + (c & 255)]! ^
      table[1536 + ((c >>> 8) & 255)]! ^
      table[1280 + ((c >>> 16) & 255)]! ^
      table[1024 + (c >>> 24)]! ^
      table[768 + bytes[i + 4]!]! ^
      table[512 + bytes[i + 5]!]! ^
      table[256 + bytes[i + 6]!]! ^
      table[bytes[i + 7]!]!;
  }
  for (; i < until; i += 1) c = (c >>> 8) ^ table[(c ^ bytes[i]!) & 255]!;
  return ~c >>> 0;
}

/** What kernel/crc32c.ts exports. */
interface CrcKernel {
  readonly memory: { readonly buffer: ArrayBuffer };
  init(): void;
  extend(crc: number, from: number, until: number): number;
}

/** Where the kernel's tables end, and bytes are copied to: so many at a time. */
const DATA_AT = 16 * 1024;
const DATA_BYTES = 64 * 1024;

let kernel: typeof plainCrc32c | undefined;
let exported: CrcKernel | undefined;

/** A copy of the tables of kernel/crc32c.ts, for kernels that take checksums in another memory. */
export function crc32cTables(): Uint8Array {
  return new Uint8Array(kernelExports().memory.buffer, 0, DATA_AT).slice();
}

function kernelExports(): CrcKernel {
  if (exported === undefined) {
    const url = new URL("../dist/kernel/crc32c.wasm", import.meta.url);
    exported = loadOwnKernel<CrcKernel>(url);
    exported.init();
  }
  return exported;
}

/** The kernel, or what is as good: where its file was left behind by a bundler, checksums only take longer. */
function openKernel(): typeof plainCrc32c {
  let exports: CrcKernel;
  try {
    exports = kernelExports();
  } catch (error) {
    if (isStorageError(error, "NOT_FOUND")) return plainCrc32c;
    throw error;
  }
  const data = new Uint8Array(exports.memory.buffer, DATA_AT, DATA_BYTES);
  return (bytes, from, until, crc) => {
    let c = ~crc;
    for (let at = from; at < until; at += DATA_BYTES) {
      const end = at + DATA_BYTES < until ? at + DATA_BYTES : until;
      data.set(bytes.subarray(at, end));
      c = exports.extend(c, DATA_AT, DATA_AT + end - at);
    }
    return ~c >>> 0;
  };
}

function makeTable(): Int32Array {
  const table = new Int32Array(8 * 256);
  for (let i = 0; i < 256; i += 1) {
    let c = i;
    for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? (c >>> 1) ^ POLYNOMIAL : c >>> 1;
    table[i] = c;
  }
  for (let i = 256; i < table.length; i += 1) {
    const previous = table[i - 256]!;
    table[i] = (previous >>> 8) ^ table[previous & 255]!;
  }
  return table;
}
