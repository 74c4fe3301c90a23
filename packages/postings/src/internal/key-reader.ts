import { KEY_SEPARATOR, type SeriesKeys } from "@varve/contracts";
import { isName } from "./names.ts";

const KEY_BYTES_EXPECTED = 1024;

/** Copies keys out, one at a time, and finds labels in them. */
export class KeyReader {
  readonly #keys: SeriesKeys;
  /** Two, so that the key before this one stays where it is. */
  #bytes: Uint8Array = new Uint8Array(KEY_BYTES_EXPECTED);
  #spare: Uint8Array = new Uint8Array(KEY_BYTES_EXPECTED);
  #length = 0;
  /** The value that `findValue` found: bytes[valueFrom … valueUntil). */
  valueFrom = 0;
  valueUntil = 0;

  constructor(keys: SeriesKeys) {
    this.#keys = keys;
  }

  /** The key that was read last, until the next but one. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Reads the key of a series. False when it has none. */
  read(ref: number): boolean {
    const length = this.#keys.keyBytes(ref);
    this.#length = length;
    if (length === 0) return false;
    let bytes = this.#spare;
    if (bytes.length < length) bytes = new Uint8Array(length * 2);
    this.#spare = this.#bytes;
    this.#bytes = bytes;
    this.#keys.copyKey(ref, bytes, 0);
    return true;
  }

  /** Looks for the value of a label: an empty one when the key lacks it. `name` ends with a separator. */
  findValue(name: Uint8Array): void {
    const bytes = this.#bytes;
    for (let at = 0; at < this.#length;) {
      const nameEnd = endOfPart(bytes, at);
      const valueEnd = endOfPart(bytes, nameEnd + 1);
      if (isName(name, bytes, at, nameEnd)) {
        this.valueFrom = nameEnd + 1;
        this.valueUntil = valueEnd;
        return;
      }
      at = valueEnd + 1;
    }
    this.valueFrom = 0;
    this.valueUntil = 0;
  }
}

/** The position of the next separator. */
export function endOfPart(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] !== KEY_SEPARATOR) at += 1;
  return at;
}
