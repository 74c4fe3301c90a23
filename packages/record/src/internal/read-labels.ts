import { compareBytes, type VarintReader } from "@varve/bytes";
import { KEY_SEPARATOR } from "@varve/contracts";

/** Reads the labels of a log into a canonical key, and refuses those that no key encoder writes. */
export class LabelsReader {
  /** The key of the last labels read: its first `length` bytes. */
  key: Uint8Array = new Uint8Array(512);
  length = 0;
  /** Why the last labels are none, or empty. */
  problem = "";

  /** Reads at the reader's position; returns how many labels there are. */
  read(reader: VarintReader): number {
    this.length = 0;
    this.problem = "";
    const count = reader.unsigned();
    let previousFrom = 0;
    let previousUntil = 0;
    for (let i = 0; i < count && this.problem === ""; i += 1) {
      const nameFrom = this.length;
      this.#string(reader);
      const nameUntil = this.length - 1;
      this.#string(reader);
      if (this.problem !== "") break;
      if (
        i > 0 &&
        compareBytes(this.key, previousFrom, previousUntil, this.key, nameFrom, nameUntil) >= 0
      ) {
        this.problem = "names out of order";
      }
      previousFrom = nameFrom;
      previousUntil = nameUntil;
    }
    if (reader.failed) this.problem = "cut labels";
    return count;
  }

  /** Appends a string and its separator to the key. Keys hold neither empty names nor empty values. */
  #string(reader: VarintReader): void {
    const length = reader.unsigned();
    const from = reader.at;
    if (reader.failed || length > reader.until - from) {
      this.problem = "cut labels";
      return;
    }
    if (length === 0) {
      this.problem = "an empty string";
      return;
    }
    this.#reserve(length + 1);
    const { bytes } = reader;
    const { key } = this;
    let out = this.length;
    let seen = 0;
    for (let i = from; i < from + length; i += 1) {
      const byte = bytes[i]!;
      seen |= byte;
      key[out++] = byte;
    }
    if (seen >= 0x80 && !isUtf8(key, this.length, out)) {
      this.problem = "a string that is not UTF-8";
      return;
    }
    key[out++] = KEY_SEPARATOR;
    this.length = out;
    reader.at = from + length;
  }

  #reserve(more: number): void {
    const wanted = this.length + more;
    if (wanted <= this.key.length) return;
    const key = new Uint8Array(Math.max(wanted, this.key.length * 2));
    key.set(this.key.subarray(0, this.length));
    this.key = key;
  }
}

/** True for well-formed UTF-8: no surrogates, nothing longer than need be, nothing above U+10FFFF. */
function isUtf8(bytes: Uint8Array, from: number, until: number): boolean {
  for (let i = from; i < until;) {
    const lead = bytes[i++]!;
    if (lead < 0x80) continue;
    const more = lead >= 0xc2 && lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (lead < 0xc2 || lead > 0xf4 || i + more > until) return false;
    // The second byte's range keeps out what the first alone does not.
    const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (bytes[i]! < lowest || bytes[i]! > highest) return false;
    for (let k = 1; k < more; k += 1) if ((bytes[i + k]! & 0xc0) !== 0x80) return false;
    i += more;
  }
  return true;
}
