import { makeColumns, type Random } from "@varve/bytes";
import type { ChunkCodec, ChunkState, Memory } from "@varve/contracts";
import { same } from "../expect.ts";
import { bitsAt, bitsOf, randomWords } from "../rows.ts";
import type { Trial } from "../trial.ts";

export interface Sample {
  readonly time: number;
  readonly low: number;
  readonly high: number;
}

/** A place for one chunk and its appender, in linear memory, with guard bytes around the chunk. */
export class ChunkPlace {
  readonly codec: ChunkCodec;
  readonly state: ChunkState;
  readonly stateAt = 64;
  readonly bytes: Uint8Array;
  readonly at = GUARD_BYTES;
  readonly capacity: number;

  constructor(codec: ChunkCodec, memory: Memory, capacity: number) {
    this.codec = codec;
    this.capacity = capacity;
    const stateBytes = this.stateAt + codec.stateBytes + 64;
    const stateOffset = memory.take(stateBytes);
    this.state = {
      words: memory.words(stateOffset, stateBytes / 4),
      doubles: memory.doubles(stateOffset, stateBytes / 8),
    };
    const bytesOffset = memory.take(capacity + 2 * GUARD_BYTES);
    this.bytes = memory.bytes(bytesOffset, capacity + 2 * GUARD_BYTES).fill(GUARD);
    codec.open(this.state, this.stateAt, this.bytes, this.at);
  }

  get count(): number {
    return this.codec.count(this.state, this.stateAt);
  }

  get length(): number {
    return this.codec.length(this.state, this.stateAt);
  }

  append({ time, low, high }: Sample, capacity: number = this.capacity): boolean {
    return this.codec.append(
      this.state,
      this.stateAt,
      this.bytes,
      this.at,
      capacity,
      time,
      low,
      high,
    );
  }

  seal(): Uint8Array {
    const length = this.codec.seal(this.state, this.stateAt, this.bytes, this.at);
    return this.bytes.slice(this.at, this.at + length);
  }

  /** Goes on in another place: what a growing chunk does. */
  movedTo(place: ChunkPlace): ChunkPlace {
    place.bytes.set(this.bytes.subarray(this.at, this.at + this.length), place.at);
    place.state.words.set(this.state.words);
    return place;
  }

  /** Fails unless the first samples decode bit by bit, and the guards stand. */
  check(samples: readonly Sample[], what: string, length: number = this.length): void {
    checkDecodes(this.codec, this.bytes, this.at, length, samples, what);
    for (let i = 0; i < GUARD_BYTES; i += 1) {
      const behind = this.at + this.capacity + i;
      if (this.bytes[i] !== GUARD) same(this.bytes[i], GUARD, `${what}: byte ${i - this.at}`);
      if (this.bytes[behind] !== GUARD)
        same(this.bytes[behind], GUARD, `${what}: byte ${this.capacity + i}`);
    }
  }
}

const GUARD_BYTES = 64;
const GUARD = 0xa5;

export function placeOf(trial: Trial<"chunk">, codec: ChunkCodec, capacity: number): ChunkPlace {
  return new ChunkPlace(codec, trial.memory, Math.ceil(capacity / 8) * 8);
}

export function checkDecodes(
  codec: ChunkCodec,
  bytes: Uint8Array,
  at: number,
  length: number,
  samples: readonly Sample[],
  what: string,
): void {
  const into = makeColumns({ capacity: 1 });
  codec.decode(bytes, at, length, samples.length, into);
  same(into.length, samples.length, `${what}: samples decoded`);
  for (const [i, { time, low, high }] of samples.entries()) {
    if (into.times[i] !== time) same(into.times[i], time, `${what}: time of sample ${i}`);
    const bits = bitsAt(into.values, i);
    if (bits !== bitsOf(low, high)) same(bits, bitsOf(low, high), `${what}: bits of sample ${i}`);
  }
}

/** Samples as series have them: steady, jittery, with gaps; constant, counting, walking, random, awkward. */
export function randomWalk(random: Random, count: number): Sample[] {
  const step = random.pick([1, 15, 1000, 15_000, 60_000]);
  const jitter = random.pick([0, 0, 1, 50, 5000]);
  const kind = random.below(4);
  let time = random.pick([0, -1_000_000, 1_700_000_000_000, -(2 ** 45)]);
  let value = random.below(1000);
  return Array.from({ length: count }, () => {
    time += Math.max(1, step + (jitter === 0 ? 0 : random.below(2 * jitter) - jitter));
    if (random.chance(0.02)) time += random.below(2 ** random.below(40)) + 1;
    if (kind === 1) value += random.below(10);
    if (kind === 2) value += random.normal();
    const [low, high] = kind === 3 ? [random.word(), random.word()] : randomWords(random, value);
    return { time, low, high };
  });
}
