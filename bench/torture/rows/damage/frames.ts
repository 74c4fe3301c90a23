import { readU64, VarintReader } from "@varve/bytes";
import type { Span } from "./file.ts";

const CRC_BYTES = 4;
const HEADER_BYTES = 8;
/** From the start of a record of `sealed/` to the length of its data. */
const SEALED_LENGTH_AT = 25;
const INDEX_TOC_BYTES = 52;
const INDEX_ALIGN = 16;

const fields = new VarintReader();

/** Chunks of a block's segment: a length, an encoding, data, a checksum. */
export function chunkFrames(bytes: Uint8Array): Span[] {
  return framesFrom(bytes, HEADER_BYTES, bytes.length, (at) => {
    const [length, from] = lengthAt(bytes, at);
    return from + 1 + length + CRC_BYTES;
  });
}

/** Chunks and marks of a file of `sealed/`. */
export function sealedFrames(bytes: Uint8Array): Span[] {
  return framesFrom(bytes, HEADER_BYTES, bytes.length, (at) => {
    const [length, from] = lengthAt(bytes, at + SEALED_LENGTH_AT);
    return from + length + CRC_BYTES;
  });
}

/** Series of a block's index, each with the padding behind it. */
export function seriesFrames(bytes: Uint8Array): Span[] {
  const toc = bytes.length - INDEX_TOC_BYTES;
  const series = Math.ceil(readU64(bytes, toc + 8) / INDEX_ALIGN) * INDEX_ALIGN;
  const end = readU64(bytes, toc + 16);
  return framesFrom(bytes, series, end, (at) => {
    const [length, from] = lengthAt(bytes, at);
    return Math.ceil((from + length + CRC_BYTES) / INDEX_ALIGN) * INDEX_ALIGN;
  });
}

/** Lines of a text. */
export function lineFrames(bytes: Uint8Array): Span[] {
  return framesFrom(bytes, 0, bytes.length, (at) => {
    const end = bytes.indexOf(0x0a, at);
    return end < 0 ? bytes.length : end + 1;
  });
}

function framesFrom(
  bytes: Uint8Array,
  from: number,
  until: number,
  endOf: (at: number) => number,
): Span[] {
  const frames: Span[] = [];
  for (let at = from; at < until;) {
    const end = endOf(at);
    if (end > bytes.length) break;
    frames.push({ from: at, until: end });
    at = end;
  }
  return frames;
}

/** A length, and where it ends. */
function lengthAt(bytes: Uint8Array, at: number): readonly [length: number, end: number] {
  fields.reset(bytes, at, bytes.length);
  return [fields.unsigned(), fields.at];
}
