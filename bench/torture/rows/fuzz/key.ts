import {
  keyOf,
  labelsOf,
  makeBatch,
  type Random,
  reserveMemory,
  type RowBatch,
} from "@varve/bytes";
import { isStorageError, type KeyEncoder, type LabelLimits, type Labels } from "@varve/contracts";
import { plainKey } from "@varve/label-key/plain";
import { trieKey } from "@varve/label-key/trie";
import { Broken } from "../../row.ts";
import { mutate } from "./bytes.ts";
import { drawLabels } from "./drawn-rows.ts";
import { fuzzRow, type FuzzTarget, Refusal, type Sound } from "./fuzz-row.ts";

/** A canonical key, and the labels that it is of. */
interface SoundKey extends Sound {
  readonly labels: Labels;
}

/** A key read as labels, and what the encoders say of labels made from the same bytes. */
interface FoundKey {
  readonly labels: Labels | null;
  readonly given: Labels;
  /** By encoder: the key in hex, or null when it is refused. */
  readonly keys: readonly (string | null)[];
}

/** Small, so that many sets come near them. */
const LIMITS: LabelLimits = { labelsMax: 6, nameBytesMax: 140, valueBytesMax: 200 };
const SEPARATOR = 0xff;
/** One that stands alone: with `u`, pairs are one character. */
const SURROGATE = /\p{Surrogate}/u;
const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Labels: keys that are read, and sets that both encoders turn into keys. */
export const KEY_ROW = fuzzRow("labels", "label sets and canonical keys", openTarget);

async function openTarget(): Promise<FuzzTarget<SoundKey, FoundKey>> {
  const batch = makeBatch(reserveMemory({ bytesMax: 2 ** 20 }), 1);
  const encoders: readonly KeyEncoder[] = [
    await plainKey().open({ limits: LIMITS }),
    trieKey({ nodesMax: 200 }).open({ limits: LIMITS }),
    trieKey({ nodesMax: 4 }).open({ limits: LIMITS }),
  ];
  return {
    codes: [],
    make(random) {
      const labels = drawLabels(random);
      return { labels, bytes: keyOf(labels) };
    },
    change: changeParts,
    decode(bytes) {
      const given = labelsGiven(bytes);
      const keys = encoders.map((encoder) => encode(encoder, given, batch));
      return { labels: decode(bytes), given, keys };
    },
    judge(found, { bytes, origin, isIntact }) {
      if (found instanceof Refusal) throw new Broken("wrong", "no refusal gets here");
      judgeLabels(found.labels, bytes);
      if (isIntact && !isSame(found.labels, origin.labels)) {
        throw new Broken("wrong", `${JSON.stringify(found.labels)} is read`);
      }
      const expected = keyInHex(found.given);
      for (const key of found.keys) {
        if (key !== expected)
          throw new Broken("wrong", `the key is ${key}, and should be ${expected}`);
      }
    },
  };
}

/** Keys of parts that are changed, swapped, repeated or dropped one by one. */
function changeParts({ bytes }: SoundKey, other: SoundKey, random: Random): Uint8Array {
  const parts = partsOf(bytes);
  const others = partsOf(other.bytes);
  do {
    const at = random.below(parts.length + 1);
    const kind = random.below(4);
    if (kind === 0) parts.splice(at, 1);
    else if (kind === 1) parts.splice(at, 0, random.pick(others));
    else if (kind === 2) parts.splice(at, 0, ...parts.splice(random.below(parts.length + 1), 2));
    else if (at < parts.length) {
      parts[at] = mutate(random, parts[at]!, random.pick(others), 0.6).map((byte) =>
        byte === SEPARATOR ? 0x41 : byte,
      );
    }
  } while (random.chance(0.4));
  return Buffer.concat(parts.flatMap((part) => [part, Uint8Array.of(SEPARATOR)]));
}

function partsOf(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (let end = bytes.indexOf(SEPARATOR); end >= 0; end = bytes.indexOf(SEPARATOR, from)) {
    parts.push(bytes.slice(from, end));
    from = end + 1;
  }
  return parts;
}

function decode(bytes: Uint8Array): Labels | null {
  try {
    return labelsOf(bytes, 0, bytes.length);
  } catch (error) {
    if (isStorageError(error, "LABELS")) return null;
    throw error;
  }
}

function encode(encoder: KeyEncoder, labels: Labels, batch: RowBatch): string | null {
  batch.clear();
  try {
    encoder.encode(labels, batch, 0);
  } catch (error) {
    if (isStorageError(error, "LABELS")) return null;
    throw error;
  }
  return Buffer.from(batch.keys.subarray(0, batch.keyAt[1])).toString("hex");
}

/** Names and values in turn, lone surrogates and the like included: in UTF-8 what is, otherwise in UTF-16. */
function labelsGiven(bytes: Uint8Array): Labels {
  const parts = partsOf(bytes).map((part) => utf8Of(part) ?? Buffer.from(part).toString("utf16le"));
  const entries: [string, string][] = [];
  for (let i = 0; i + 1 < parts.length; i += 2) entries.push([parts[i]!, parts[i + 1]!]);
  return Object.fromEntries(entries);
}

function utf8Of(bytes: Uint8Array): string | null {
  try {
    return text.decode(bytes);
  } catch {
    return null;
  }
}

/** What labels come to: null when an encoder has to refuse them. */
function keyInHex(labels: Labels): string | null {
  const entries = Object.entries(labels).filter(([, value]) => value !== "");
  if (entries.length === 0 || entries.length > LIMITS.labelsMax) return null;
  for (const [name, value] of entries) {
    // Each by itself: the end of one and the beginning of the other would pass for a pair.
    if (name === "" || SURROGATE.test(name) || SURROGATE.test(value)) return null;
    if (Buffer.byteLength(name) > LIMITS.nameBytesMax) return null;
    if (Buffer.byteLength(value) > LIMITS.valueBytesMax) return null;
  }
  const pairs = entries.map((pair) => pair.map((part) => Buffer.from(part)) as [Buffer, Buffer]);
  pairs.sort(([a], [b]) => Buffer.compare(a, b));
  return pairs.map((pair) => pair.map((part) => `${part.toString("hex")}ff`).join("")).join("");
}

/** Bytes that are a key are read as its labels; others are refused where there is no way to read them. */
function judgeLabels(labels: Labels | null, bytes: Uint8Array): void {
  const parts = partsOf(bytes);
  const texts = parts.map(utf8Of);
  const length = parts.reduce((sum, part) => sum + part.length + 1, 0);
  const isReadable = length === bytes.length && parts.length % 2 === 0 && !texts.includes(null);
  if (!isReadable) {
    if (labels !== null) throw new Broken("wrong", "what is no key is read as one");
    return;
  }
  const expected: Record<string, string> = Object.create(null);
  for (let i = 0; i < texts.length; i += 2) expected[texts[i]!] = texts[i + 1]!;
  if (labels === null) throw new Broken("wrong", "a key is refused");
  if (!isSame(labels, expected)) throw new Broken("wrong", `${JSON.stringify(labels)} is read`);
}

/** The same names and values: values that are empty do not count. */
function isSame(found: Labels | null, expected: Labels): boolean {
  const sorted = (labels: Labels): string[] =>
    Object.entries(labels)
      .filter(([, value]) => value !== "")
      .map((pair) => JSON.stringify(pair))
      .sort();
  return found !== null && sorted(found).join() === sorted(expected).join();
}
