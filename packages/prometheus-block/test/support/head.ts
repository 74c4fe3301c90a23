import { xorChunk } from "@varve/chunk/xor";
import type { ChunkCodec, Labels } from "@varve/contracts";
import { chunkEndTime, windowEnd } from "../../src/index.ts";

/** Samples of one series, ascending, fewer than 30,000. Values keep their bits. */
export interface TestSeries {
  readonly labels: Labels;
  readonly times: readonly number[];
  readonly values: Float64Array;
}

export interface TestChunk {
  readonly minTime: number;
  readonly maxTime: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** What a chunk of 240 samples takes at most, and more. */
const CHUNK_BYTES = 8192;

const codec: ChunkCodec = await xorChunk().open({});

/** Cuts and encodes a series as the head of Prometheus 2.42 does, whose chunks never cross `rangeMs`. */
export function headChunks({ times, values }: TestSeries, rangeMs: number): TestChunk[] {
  const chunks: TestChunk[] = [];
  let first = 0;
  let end = 0;
  times.forEach((time, i) => {
    if (i === first) end = windowEnd(time, rangeMs);
    if (i - first === 30) end = chunkEndTime(times[first]!, times[i - 1]!, end);
    if (i > first && (time >= end || i - first >= 240)) {
      chunks.push(encodeChunk(times, values, first, i));
      first = i;
      end = windowEnd(time, rangeMs);
    }
  });
  if (times.length > first) chunks.push(encodeChunk(times, values, first, times.length));
  return chunks;
}

export function encodeChunk(
  times: readonly number[],
  values: Float64Array,
  from: number,
  until: number,
): TestChunk {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const buffer = new ArrayBuffer(codec.stateBytes);
  const state = { words: new Int32Array(buffer), doubles: new Float64Array(buffer) };
  const bytes = new Uint8Array(CHUNK_BYTES);
  codec.open(state, 0, bytes, 0);
  for (let i = from; i < until; i += 1) {
    const [low, high] = [words[2 * i]!, words[2 * i + 1]!];
    codec.append(state, 0, bytes, 0, bytes.length, times[i]!, low, high);
  }
  const length = codec.seal(state, 0, bytes, 0);
  const count = until - from;
  return {
    minTime: times[from]!,
    maxTime: times[until - 1]!,
    count,
    bytes: bytes.slice(0, length),
  };
}
