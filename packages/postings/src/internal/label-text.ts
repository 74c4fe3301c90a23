import { utf8BytesMax, writeUtf8 } from "@varve/bytes";
import { KEY_SEPARATOR } from "@varve/contracts";

/** The bytes of a label as keys hold it, `name 0xFF value 0xFF`; null when no key can hold it. */
export function labelBytes(name: string, value: string): Uint8Array | null {
  const bytes = new Uint8Array(utf8BytesMax(name.length + value.length) + 2);
  const nameEnd = writeUtf8(bytes, 0, name);
  if (nameEnd < 0) return null;
  bytes[nameEnd] = KEY_SEPARATOR;
  const valueEnd = writeUtf8(bytes, nameEnd + 1, value);
  if (valueEnd < 0) return null;
  bytes[valueEnd] = KEY_SEPARATOR;
  return bytes.subarray(0, valueEnd + 1);
}

/** The bytes of a name, without its separator; null when no key can hold it. */
export function nameBytes(name: string): Uint8Array | null {
  const bytes = new Uint8Array(utf8BytesMax(name.length));
  const end = writeUtf8(bytes, 0, name);
  return end < 0 ? null : bytes.subarray(0, end);
}

/** The text of bytes[from … until), which are UTF-8. */
export function textOf(bytes: Uint8Array, from: number, until: number): string {
  for (let at = from; at < until; at += 1) {
    if (bytes[at]! >= 0x80) return Buffer.prototype.utf8Slice.call(bytes, from, until);
  }
  return Buffer.prototype.latin1Slice.call(bytes, from, until);
}
