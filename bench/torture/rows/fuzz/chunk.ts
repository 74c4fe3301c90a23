import { makeColumns, makeRandom, type Random } from "@varve/bytes";
import { xorChunk } from "@varve/chunk/xor";
import type { ChunkCodec, ChunkState, SampleColumns } from "@varve/contracts";
import { Broken } from "../../row.ts";
import { type FuzzTarget, fuzzRow, INPUT_BYTES_MAX, Refusal, type Sound } from "./fuzz-row.ts";
import { type BitSample, readXor } from "./xor.ts";

/** Samples as times and bits of values. */
interface SoundChunk extends Sound {
  readonly samples: readonly BitSample[];
}

const SAMPLES_MAX = 40;
/** Strange bytes before and behind the input: what is read there shows. */
const MARGIN = 16;

/** A chunk of XOR samples. */
export const CHUNK_ROW = fuzzRow("chunk", "XOR chunks", openTarget);

async function openTarget(): Promise<FuzzTarget<SoundChunk, readonly BitSample[]>> {
  const codec = await xorChunk().open({});
  const scratch = new Uint8Array(INPUT_BYTES_MAX + 2 * MARGIN);
  const strange = makeRandom(1);
  return {
    codes: ["BLOCK_CORRUPT"],
    make: (random) => {
      const samples = drawSamples(random);
      return { samples, bytes: encode(codec, samples) };
    },
    prepare(bytes) {
      for (let i = 0; i < MARGIN; i += 1) {
        scratch[i] = strange.below(256);
        scratch[MARGIN + bytes.length + i] = strange.below(256);
      }
      scratch.set(bytes, MARGIN);
    },
    decode(bytes) {
      const columns = makeColumns({ capacity: 1 });
      const count = codec.storedCount(scratch, MARGIN, bytes.length);
      codec.decode(scratch, MARGIN, bytes.length, count, columns);
      return samplesOf(columns);
    },
    judge(found, { bytes, origin, isIntact }) {
      const expected = readXor(bytes);
      const samples = found instanceof Refusal ? null : found;
      compare(samples, expected, "an independent reading");
      if (isIntact) compare(samples, origin.samples, "what was encoded");
      if (samples === null || samples.length === 0) return;
      const again = makeColumns({ capacity: 1 });
      const encoded = encode(codec, samples);
      codec.decode(encoded, 0, encoded.length, samples.length, again);
      compare(samplesOf(again), samples, "what was encoded anew");
    },
  };
}

function compare(
  found: readonly BitSample[] | null,
  expected: readonly BitSample[] | null,
  what: string,
): void {
  const isSame =
    found?.length === expected?.length &&
    (found ?? []).every(
      ({ time, bits }, i) => time === expected![i]!.time && bits === expected![i]!.bits,
    );
  if (isSame) return;
  const count = (samples: readonly BitSample[] | null): string =>
    samples === null ? "a refusal" : `${samples.length} samples`;
  throw new Broken("wrong", `${count(found)} where ${what} has ${count(expected)}, or others`);
}

/** Encodes samples with the codec's own appender. */
export function encode(codec: ChunkCodec, samples: readonly BitSample[]): Uint8Array {
  const words = new Int32Array(codec.stateBytes / 4);
  const state: ChunkState = { words, doubles: new Float64Array(words.buffer) };
  const bytes = new Uint8Array(samples.length * 20 + 32);
  codec.open(state, 0, bytes, 0);
  for (const { time, bits } of samples) {
    const low = Number(bits & 0xffff_ffffn);
    const high = Number(bits >> 32n);
    if (codec.append(state, 0, bytes, 0, bytes.length, Number(time), low | 0, high | 0)) continue;
    throw new Broken("wrong", "a sample does not fit");
  }
  return bytes.slice(0, codec.seal(state, 0, bytes, 0));
}

export function samplesOf({ times, values, length }: SampleColumns): BitSample[] {
  const bits = new BigUint64Array(values.buffer, values.byteOffset, length);
  return Array.from({ length }, (_, i) => ({ time: BigInt(times[i]!), bits: bits[i]! }));
}

/** Times at a steady pace, or with jumps of every width; values that stay, count, or are any bits. */
export function drawSamples(random: Random): BitSample[] {
  const samples: BitSample[] = [];
  const count = 1 + random.below(SAMPLES_MAX);
  const isSteady = random.chance(0.4);
  let time = random.chance(0.7)
    ? BigInt(random.below(2 ** 41))
    : BigInt(Number.MIN_SAFE_INTEGER) + BigInt(random.below(2 ** 50));
  let bits = 0n;
  let delta = 1n + BigInt(random.below(15_000));
  for (let i = 0; i < count; i += 1) {
    if (random.chance(0.7)) bits = drawBits(random, bits);
    samples.push({ time, bits });
    if (!isSteady) delta = 1n + BigInt(random.below(2 ** random.below(46)));
    time += delta;
  }
  return samples;
}

const VALUE = new Float64Array(1);
const BITS = new BigUint64Array(VALUE.buffer);

function drawBits(random: Random, last: bigint): bigint {
  const kind = random.below(4);
  if (kind === 0) return (BigInt(random.word()) << 32n) | BigInt(random.word());
  if (kind === 1) return last ^ (BigInt(1 + random.below(2 ** 20)) << BigInt(random.below(44)));
  if (kind === 2) return random.pick(NAMED_BITS);
  VALUE[0] = random.below(1000);
  return BITS[0]!;
}

/** Zeros, the infinities, an ordinary NaN and the stale marker. */
const NAMED_BITS = [
  0n,
  0x8000_0000_0000_0000n,
  0x7ff0_0000_0000_0000n,
  0xfff0_0000_0000_0000n,
  0x7ff8_0000_0000_0001n,
  0x7ff0_0000_0000_0002n,
];
