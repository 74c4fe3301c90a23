import { keyOf, KeySorter, makeRandom } from "@varve/bytes";
import { xorChunk } from "@varve/chunk/xor";
import type { ChunkCodec, ChunkState, SeriesKeys } from "@varve/contracts";
import {
  DEVOPS_INTERVAL_MS,
  DEVOPS_START_MS,
  devopsSeries,
  randomWalk,
  type Walk,
} from "@varve/workload";
import { writeFileSync } from "node:fs";
import { checksumOf } from "./checksum.ts";
import { RecordFile } from "./records.ts";
import type { InputFacts } from "./results.ts";
import { type Job, seriesOf, type Values } from "./spec.ts";

/** Any chunk of so few samples fits. */
const CHUNK_BYTES = 64 * 1024;

/** Where the parts of a block's input lie. */
export function inputPaths(dir: string, values: Values) {
  return {
    keys: `${dir}/${values}.keys`,
    chunks: `${dir}/${values}.chunks`,
    facts: `${dir}/${values}.json`,
  };
}

/**
 * Writes what a block is made of: keys in label order, and a chunk for each, encoded. So the writer that is measured
 * only reads, and its process never held more.
 */
export async function makeInput(job: Job, values: Values): Promise<InputFacts> {
  const { sizes, seed, dir } = job;
  const count = seriesOf(sizes, values);
  const sorter = new KeySorter(makeKeys(seed, count));
  for (let ref = 1; ref <= count; ref += 1) sorter.add(ref);
  const paths = inputPaths(dir, values);
  const keys = new RecordFile(paths.keys);
  const chunks = new RecordFile(paths.chunks);
  const encoder = new OneChunk(await xorChunk().open({}));
  const source = values === "integers" ? walkOf(seed) : doublesOf(seed);
  const times = new Float64Array(sizes.samples);
  const samples = new Float64Array(sizes.samples);
  for (let i = 0; i < times.length; i += 1) times[i] = DEVOPS_START_MS + i * DEVOPS_INTERVAL_MS;
  let checksum = 0;
  let keyBytes = 0;
  let chunkBytes = 0;
  while (sorter.next()) {
    for (let i = 0; i < samples.length; i += 1) source.next(samples, i);
    checksum = checksumOf(checksum, times, samples, samples.length);
    const length = encoder.encode(times, samples);
    keys.put(sorter.key, 0, sorter.keyLength);
    chunks.put(encoder.bytes, 0, length);
    keyBytes += sorter.keyLength;
    chunkBytes += length;
  }
  keys.close();
  chunks.close();
  const facts = { series: count, samples: sizes.samples, keyBytes, chunkBytes, checksum };
  writeFileSync(paths.facts, JSON.stringify(facts));
  return facts;
}

/** One walk that goes on from series to series: each has the steps that TSBS draws. */
function walkOf(seed: number): Pick<Walk, "next"> {
  return randomWalk({ seed, series: 1 });
}

/** Doubles in 0 … 100 whose mantissas share nothing. */
function doublesOf(seed: number): Pick<Walk, "next"> {
  const random = makeRandom(seed);
  return {
    next(into, at = 0) {
      into[at] = random.unit() * 100;
    },
  };
}

/** Keys of the devops workload in one array: refs 1 … count. */
function makeKeys(seed: number, count: number): SeriesKeys {
  const starts = new Float64Array(count + 2);
  let bytes = new Uint8Array(256 * (count + 1));
  let ref = 1;
  for (const labels of devopsSeries({ seed, series: count })) {
    const key = keyOf(labels);
    bytes.set(key, starts[ref]);
    starts[ref + 1] = starts[ref]! + key.length;
    ref += 1;
  }
  bytes = bytes.subarray(0, starts[count + 1]);
  return {
    nextRef: ref,
    keyBytes: (of) => starts[of + 1]! - starts[of]!,
    copyKey(of, into, at) {
      into.set(bytes.subarray(starts[of], starts[of + 1]), at);
      return starts[of + 1]! - starts[of]!;
    },
  };
}

/** Encodes columns as one chunk, in `bytes`. */
class OneChunk {
  readonly bytes = new Uint8Array(CHUNK_BYTES);
  readonly #codec: ChunkCodec;
  readonly #state: ChunkState;

  constructor(codec: ChunkCodec) {
    this.#codec = codec;
    const state = new ArrayBuffer(Math.ceil(codec.stateBytes / 8) * 8);
    this.#state = { words: new Int32Array(state), doubles: new Float64Array(state) };
  }

  encode(times: Float64Array, values: Float64Array): number {
    const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
    this.#codec.open(this.#state, 0, this.bytes, 0);
    for (let i = 0; i < times.length; i += 1) {
      const [time, low, high] = [times[i]!, words[2 * i]!, words[2 * i + 1]!];
      if (!this.#codec.append(this.#state, 0, this.bytes, 0, CHUNK_BYTES, time, low, high)) {
        throw new Error(`${i} samples fill a chunk: take fewer`);
      }
    }
    return this.#codec.seal(this.#state, 0, this.bytes, 0);
  }
}
