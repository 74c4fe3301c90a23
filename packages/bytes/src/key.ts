import { KEY_SEPARATOR, StorageError, type Labels } from "@varve/contracts";
import { compareUtf8 } from "./compare.ts";
import { readUtf8, utf8BytesMax, writeUtf8 } from "./utf8.ts";

/**
 * Encodes labels to a canonical key the plain way: sorted by name in UTF-8 byte order, each as
 * `name 0xFF value 0xFF`, empty values left out. This is the encoding that Prometheus' StableHash hashes.
 *
 * Slow and without limits: for tests and for callers that need a key once. Throws LABELS on a lone surrogate.
 */
export function keyOf(labels: Labels): Uint8Array {
  const names = Object.keys(labels).filter((name) => labels[name] !== "");
  names.sort(compareUtf8);
  let room = 0;
  for (const name of names) room += utf8BytesMax(name.length + labels[name]!.length) + 2;
  const bytes = new Uint8Array(room);
  let at = 0;
  for (const name of names) {
    at = appendPart(bytes, at, name, name);
    at = appendPart(bytes, at, labels[name]!, name);
  }
  return bytes.slice(0, at);
}

/** Decodes a canonical key. Names come out in key order. Throws LABELS when the bytes are not a key. */
export function labelsOf(bytes: Uint8Array, from: number, until: number): Labels {
  const parts = isAscii(bytes, from, until)
    ? asciiParts(bytes, from, until)
    : utf8Parts(bytes, from, until);
  const entries: [string, string][] = [];
  for (let i = 0; i < parts.length; i += 2) entries.push([parts[i]!, parts[i + 1]!]);
  return Object.fromEntries(entries); // Defines own properties, so a label named __proto__ is only a label.
}

/** True when the range holds only ASCII and separators. */
function isAscii(bytes: Uint8Array, from: number, until: number): boolean {
  for (let at = from; at < until; at += 1) {
    if (bytes[at]! >= 0x80 && bytes[at] !== KEY_SEPARATOR) return false;
  }
  return true;
}

/** Names and values in turn, decoded by one native call a key: a tenth of what a decoder call a part costs. */
function asciiParts(bytes: Uint8Array, from: number, until: number): string[] {
  const parts = Buffer.prototype.latin1Slice.call(bytes, from, until).split("\u00ff");
  const isWhole = parts.pop() === "" && parts.length % 2 === 0;
  if (!isWhole) throw insideLabel(until - from);
  return parts;
}

/** The same for any key. */
function utf8Parts(bytes: Uint8Array, from: number, until: number): string[] {
  const parts: string[] = [];
  for (let at = from; at < until;) {
    const end = endOfPart(bytes, at, until);
    parts.push(textOf(bytes, at, end));
    at = end + 1;
  }
  if (parts.length % 2 !== 0) throw insideLabel(until - from);
  return parts;
}

function insideLabel(length: number): StorageError {
  return new StorageError("LABELS", `a key of ${length} bytes ends inside a label`);
}

/** Where the part that starts at `from` ends: the position of its separator. Throws LABELS when there is none. */
export function endOfPart(bytes: Uint8Array, from: number, until: number): number {
  for (let at = from; at < until; at += 1) if (bytes[at] === KEY_SEPARATOR) return at;
  throw insideLabel(until - from);
}

function textOf(bytes: Uint8Array, from: number, until: number): string {
  try {
    return readUtf8(bytes, from, until);
  } catch (cause) {
    throw new StorageError("LABELS", `a key holds ${until - from} bytes that are not UTF-8`, {
      cause,
    });
  }
}

function appendPart(bytes: Uint8Array, at: number, text: string, name: string): number {
  const end = writeUtf8(bytes, at, text);
  if (end < 0) {
    throw new StorageError("LABELS", `label ${JSON.stringify(name)} holds a lone surrogate`, {
      facts: { label: name },
    });
  }
  bytes[end] = KEY_SEPARATOR;
  return end + 1;
}

/**
 * Orders two canonical keys as Prometheus orders label sets: pair by pair, name then value, a proper prefix
 * first. Not the order of the bytes: a separator comes before every other byte.
 */
export function compareKeys(
  a: Uint8Array,
  aFrom: number,
  aUntil: number,
  b: Uint8Array,
  bFrom: number,
  bUntil: number,
): number {
  const common = Math.min(aUntil - aFrom, bUntil - bFrom);
  for (let i = 0; i < common; i += 1) {
    const left = a[aFrom + i]!;
    const right = b[bFrom + i]!;
    if (left === right) continue;
    if (left === KEY_SEPARATOR) return -1;
    return right === KEY_SEPARATOR ? 1 : left - right;
  }
  return aUntil - aFrom - (bUntil - bFrom);
}
