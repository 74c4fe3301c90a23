import { crc32c, makeColumns, readU32, writeU32 } from "@varve/bytes";
import { xorChunk } from "@varve/chunk/xor";
import { isStorageError } from "@varve/contracts";
import { type BlockReader, openBlock, type RawSeries } from "@varve/prometheus-block";
import { Broken } from "../../row.ts";
import {
  BLOCK_DIR,
  cache,
  disk,
  makeBlockFile,
  putBlock,
  type SoundBlockFile,
} from "./block-files.ts";
import { samplesOf } from "./chunk.ts";
import { type BitSample, readXor } from "./xor.ts";
import { fuzzRow, type FuzzTarget, Refusal } from "./fuzz-row.ts";

/** A chunk as the index names it, and what was found there: null where it is damaged. */
interface FoundChunk {
  readonly offset: number;
  /** Of its first and last sample, as the index has them. */
  readonly times: readonly bigint[];
  readonly content: { readonly encoding: number; readonly bytes: Uint8Array } | null;
  readonly samples: readonly BitSample[] | null;
}

const NAME = "chunks/000001";
const HEADER_BYTES = 8;
const MAGIC = 0x85bd40dd;

/** The chunks of a block. */
export const CHUNK_FILE_ROW = fuzzRow(
  "chunk-file",
  "a segment of a block's chunks, read as its index says",
  openTarget,
);

async function openTarget(): Promise<FuzzTarget<SoundBlockFile, readonly FoundChunk[]>> {
  const codec = await xorChunk().open({});
  return {
    codes: ["BLOCK_CORRUPT", "UNSUPPORTED_VERSION"],
    sounds: 6,
    keepsLength: 0.8,
    make: (random) => makeBlockFile(codec, NAME, random),
    mend: mendChunks,
    prepare: (bytes, origin) => putBlock(bytes, NAME, origin),
    async decode() {
      const block = await openBlock({ disk, dir: BLOCK_DIR, cache, codec });
      try {
        return readAll(block);
      } finally {
        block.close();
      }
    },
    judge(found, { bytes, origin, isIntact }) {
      if (disk.opened > 0) throw new Broken("wrong", `${disk.opened} files stay open`);
      const isHeaded =
        bytes.length >= HEADER_BYTES && readU32(bytes, 0) === MAGIC && bytes[4] === 1;
      if (isHeaded === found instanceof Refusal)
        throw new Broken("wrong", "its header says otherwise");
      if (found instanceof Refusal) return;
      for (const each of found) judge(each, bytes);
      if (!isIntact) return;
      const written = origin.series.flatMap(({ chunks }) => chunks);
      for (const [i, { samples }] of found.entries()) {
        if (!isSame(samples, written[i]!))
          throw new Broken("lost", `chunk ${i} is not what was written`);
      }
    },
  };
}

function readAll(block: BlockReader): FoundChunk[] {
  const found: FoundChunk[] = [];
  const series = block.allSeries();
  while (series.next()) {
    for (let i = 0; i < series.chunkCount; i += 1) found.push(readChunk(series, i));
  }
  return found;
}

function readChunk(series: RawSeries, i: number): FoundChunk {
  const offset = series.ref(i);
  const times = [BigInt(series.minTime(i)), BigInt(series.maxTime(i))];
  let content: FoundChunk["content"] = null;
  try {
    series.load(i);
    const { encoding, bytes, from, until } = series;
    content = { encoding, bytes: bytes.slice(from, until) };
    const columns = makeColumns({ capacity: 8 });
    series.decode(columns);
    return { offset, times, content, samples: samplesOf(columns) };
  } catch (error) {
    if (!isStorageError(error, "BLOCK_CORRUPT")) throw error;
    return { offset, times, content, samples: null };
  }
}

/** `uvarint length | u8 encoding | data | u32 crc(encoding and data)`, as the documents say. */
function judge({ offset, times, content, samples }: FoundChunk, bytes: Uint8Array): void {
  const place = placeOf(bytes, offset);
  const isThere = place !== null && crc32c(bytes, place[0], place[1]) === readU32(bytes, place[1]);
  if (isThere !== (content !== null))
    throw new Broken("wrong", `the chunk at ${offset} is ${isThere ? "there" : "damaged"}`);
  if (place === null || content === null) return;
  const data = bytes.subarray(place[0] + 1, place[1]);
  if (content.encoding !== bytes[place[0]] || Buffer.compare(content.bytes, data) !== 0) {
    throw new Broken("wrong", `the chunk at ${offset} is another`);
  }
  const read = readXor(data);
  // The chunk of another series, or of another time, may lie there soundly: the index tells.
  const isListed =
    read?.length === 0 || (read?.at(0)?.time === times[0] && read?.at(-1)?.time === times[1]);
  if (!isSame(samples, isListed ? read : null)) {
    throw new Broken("wrong", `the chunk at ${offset} has other samples`);
  }
}

/** From the encoding of a chunk to its checksum; null where none can be. */
function placeOf(bytes: Uint8Array, offset: number): [number, number] | null {
  let length = 0;
  let at = offset;
  for (let scale = 1; ; scale *= 128) {
    if (scale === 128 ** 5 || at >= bytes.length) return null;
    const byte = bytes[at]!;
    at += 1;
    length += (byte & 127) * scale;
    if (byte < 128) break;
  }
  const until = at + 1 + length;
  return until + 4 > bytes.length ? null : [at, until];
}

/** Puts checksums right, chunk by chunk, by their lengths. */
function mendChunks(bytes: Uint8Array): Uint8Array {
  for (let offset = HEADER_BYTES; ;) {
    const place = placeOf(bytes, offset);
    if (place === null) return bytes;
    writeU32(bytes, place[1], crc32c(bytes, place[0], place[1]));
    offset = place[1] + 4;
  }
}

function isSame(
  found: readonly BitSample[] | null,
  expected: readonly BitSample[] | null,
): boolean {
  return (
    found?.length === expected?.length &&
    (found ?? []).every(
      ({ time, bits }, i) => time === expected![i]!.time && bits === expected![i]!.bits,
    )
  );
}
