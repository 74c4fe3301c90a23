/** CRC-32C (Castagnoli), reflected: the checksum of every Prometheus file. Check value: e3069283. */

const POLYNOMIAL = 0x82f63b78;
/** Slicing-by-8: eight tables of 256 words, one after the other. */
const TABLE = makeTable();

/**
 * Extends `crc` (0 for a start) by bytes[from … until), and returns an unsigned word.
 * crc32c(b, crc32c(a)) is the checksum of a followed by b.
 */
export function crc32c(bytes: Uint8Array, from: number, until: number, crc = 0): number {
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
