import { readUtf8 } from "@varve/bytes";
import { LineFault } from "./line-fault.ts";

/** Input as text. Throws a fault where it is not UTF-8. */
export function textOf(bytes: Uint8Array, from: number, until: number): string {
  try {
    return readUtf8(bytes, from, until);
  } catch {
    throw new LineFault(from, "the text is not valid UTF-8");
  }
}

/** How many bytes the first `length` units of a text took in the input. */
export function bytesBefore(text: string, length: number): number {
  return Buffer.byteLength(text.slice(0, length));
}
