import { makeColumns, makeRandom } from "@varve/bytes";
import { isStorageError, type ChunkCodec } from "@varve/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Chunk, decode, samplesOf } from "./harness.ts";
import { bitsOfNumber, encodeReference, type Sample } from "./reference.ts";

const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const STALE = 0x7ff0000000000002n;
/** Room for any chunk of a test. */
const CAPACITY = 64 * 1024;

function sample(time: number | bigint, value: number | bigint): Sample {
  return { time: BigInt(time), bits: typeof value === "bigint" ? value : bitsOfNumber(value) };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Times that increase by `deltas` from `start`, with values. */
function walk(start: bigint, deltas: readonly bigint[], bits: readonly bigint[]): Sample[] {
  let time = start;
  return deltas.map((delta, i) => {
    if (i > 0) time += delta;
    return { time, bits: bits[i % bits.length]! };
  });
}

/** What every XOR codec does, whatever it is written in. */
export function testXor(codec: ChunkCodec): void {
  function encode(samples: readonly Sample[], capacity = CAPACITY): Uint8Array {
    const chunk = new Chunk(codec, capacity, 3);
    for (const sample of samples) expect(chunk.append(sample)).toBe(true);
    return chunk.seal();
  }

  describe("xor: the vectors of Prometheus", () => {
    const SAMPLES = [
      sample(1000, 1),
      sample(2000, 2),
      sample(3000, 2),
      sample(4500, 3.5),
      sample(4501, 0x7ff8000000000000n),
      sample(10_000_000, -0),
    ];
    const VECTORS: readonly [number, string][] = [
      [1, "0001d00f3ff0000000000000"],
      [2, "0002d00f3ff0000000000000e807c25fff"],
      [3, "0003d00f3ff0000000000000e807c25fff00"],
      [4, "0004d00f3ff0000000000000e807c25fff207d360580"],
      [6, "0006d00f3ff0000000000000e807c25fff207d3605dd12e233ff7c00000000026213ab01bfff"],
    ];
    for (const [count, vector] of VECTORS) {
      test(`writes and reads ${count} samples as Prometheus does`, () => {
        expect(hex(encode(SAMPLES.slice(0, count)))).toBe(vector);
        expect(decode(codec, Buffer.from(vector, "hex"), count)).toEqual(SAMPLES.slice(0, count));
        expect(codec.storedCount(Buffer.from(vector, "hex"), 0, vector.length / 2)).toBe(count);
      });
    }

    test("ignores the zero byte that Prometheus before 3.0 may leave at the end", () => {
      const bytes = Buffer.from(`${VECTORS[3]![1]}00`, "hex");
      expect(decode(codec, bytes, 4)).toEqual(SAMPLES.slice(0, 4));
    });
  });

  describe("xor: byte for byte the reference", () => {
    const bits = fc.oneof(
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      fc.integer({ min: -5, max: 5 }).map((value) => bitsOfNumber(value)),
      fc.double().map((value) => bitsOfNumber(value)),
      fc.constantFrom(STALE, 0x7ff8000000000001n, 0xfff8000000000000n, 0xffffffffffffffffn, 0n, 1n),
      // One changed bit, or a run of them: windows of every length and shift.
      fc
        .tuple(fc.nat(63), fc.nat(63))
        .map(([a, b]) => BigInt.asUintN(64, (1n << BigInt(a)) - (1n << BigInt(b)))),
    );
    const delta = fc.oneof(
      fc.constantFrom(1n, 1000n, 15_000n),
      fc.bigInt({ min: 1n, max: 1n << 21n }),
      fc.bigInt({ min: 1n, max: 1n << 46n }),
    );
    const start = fc.oneof(
      fc.bigInt({ min: -SAFE_MAX, max: 0n }),
      fc.bigInt({ min: -200n, max: 200n }),
      fc.constantFrom(1_700_000_000_000n, -SAFE_MAX),
    );
    const series = fc
      .tuple(start, fc.array(fc.tuple(delta, bits), { minLength: 1, maxLength: 60 }))
      .map(([from, rows]) =>
        walk(
          from,
          rows.map(([each]) => each),
          rows.map(([, each]) => each),
        ),
      );

    test("writes what the reference writes, and reads it back, for any times and bits", () => {
      fc.assert(
        fc.property(series, (samples) => {
          const bytes = encode(samples);
          expect(hex(bytes)).toBe(hex(encodeReference(samples)));
          expect(decode(codec, bytes, samples.length)).toEqual(samples);
        }),
        { numRuns: 1500 },
      );
    });

    test("draws the line of every form of a time where Prometheus draws it", () => {
      for (const edge of [1n << 13n, 1n << 16n, 1n << 19n, 1n << 31n, 1n << 32n, 1n << 50n]) {
        for (const off of [-2n, -1n, 0n, 1n, 2n]) {
          for (const dod of [edge + off, -edge + off]) {
            const base = 1n << 51n;
            const samples = walk(0n, [0n, base, base + dod, 1n], [1n]);
            const bytes = encode(samples);
            expect(hex(bytes)).toBe(hex(encodeReference(samples)));
            expect(decode(codec, bytes, 4)).toEqual(samples);
          }
        }
      }
    });

    test("keeps deltas exact that are longer than a double's 53 bits", () => {
      const wide = (1n << 53n) + 1n;
      for (const deltas of [
        [0n, wide, wide - 4n], // A delta of delta of -4, between deltas that round.
        [0n, wide, 1n],
        [0n, 1n, wide, 1n, 1n],
        [0n, wide - 4n, wide],
        [0n, 2n * SAFE_MAX],
        [0n, 2n * SAFE_MAX - 1n, 1n],
        [0n, 1n, 2n * SAFE_MAX - 1n],
        [0n, wide - 2n, wide - 2n],
      ]) {
        const samples = walk(-SAFE_MAX, deltas, [7n, 8n]);
        if (samples.at(-1)!.time > SAFE_MAX) continue;
        const bytes = encode(samples);
        expect(hex(bytes)).toBe(hex(encodeReference(samples)));
        expect(decode(codec, bytes, samples.length)).toEqual(samples);
      }
    });

    test("keeps the stale marker and every NaN's payload", () => {
      const bits = [STALE, 0x7ff0000000000001n, 0x7ff8000000000000n, 0xfff4deadbeef0001n, STALE];
      const samples = bits.map((each, i) => ({ time: BigInt(i * 10), bits: each }));
      const columns = makeColumns({ capacity: 1 });
      const bytes = encode(samples);
      for (let round = 0; round < 50; round += 1) codec.decode(bytes, 0, bytes.length, 5, columns);
      expect(columns.length).toBe(250);
      expect(samplesOf(columns).slice(-5)).toEqual(samples);
    });

    test("goes on in any larger place it is moved to", () => {
      const seed = Date.now();
      const random = makeRandom(seed);
      const samples: Sample[] = [];
      const chunk = new Chunk(codec, codec.capacityMin, 5);
      for (let i = 0; i < 2000; i += 1) {
        const value = random.chance(0.3)
          ? BigInt(random.word()) << 20n
          : bitsOfNumber(random.below(50));
        const next = { time: BigInt(i * 1000 + random.below(900)), bits: value };
        while (!chunk.append(next))
          chunk.move(chunk.capacity + 1 + random.below(40), random.below(9));
        samples.push(next);
        const { length, bytes, at, capacity } = chunk;
        expect(length, `seed ${seed}`).toBeLessThanOrEqual(capacity);
        expect(bytes[at + capacity], `seed ${seed}: writes outside`).toBe(bytes[at + capacity + 1]);
      }
      expect(hex(chunk.seal()), `seed ${seed}`).toBe(hex(encodeReference(samples)));
    });
  });

  describe("xor: bounds", () => {
    test("fills its place to the last byte, and changes nothing when it refuses", () => {
      const samples = walk(
        1n,
        Array.from({ length: 40 }, () => 1n << 30n),
        [1n, STALE, 99n << 40n, 3n],
      );
      const whole = encodeReference(samples);
      for (let capacity = 0; capacity < whole.length; capacity += 1) {
        const chunk = new Chunk(codec, capacity, 1);
        let count = 0;
        while (chunk.append(samples[count]!)) count += 1;
        const states = [...chunk.state.words];
        const before = hex(chunk.bytes);
        expect(chunk.append(samples[count]!)).toBe(false);
        expect([...chunk.state.words]).toEqual(states);
        expect(hex(chunk.bytes)).toBe(before);
        expect(chunk.count).toBe(count);
        if (capacity >= codec.capacityMin) {
          expect(hex(chunk.seal())).toBe(hex(encodeReference(samples.slice(0, count))));
          expect(encodeReference(samples.slice(0, count + 1)).length).toBeGreaterThan(capacity);
        }
      }
    });

    test("takes 65,535 samples and no more", () => {
      const chunk = new Chunk(codec, 1 << 20);
      for (let i = 0; i < 65_535; i += 1) chunk.append(sample(i, 1));
      expect(chunk.count).toBe(65_535);
      expect(chunk.append(sample(70_000, 1))).toBe(false);
      const bytes = chunk.seal();
      expect(codec.storedCount(bytes, 0, bytes.length)).toBe(65_535);
      expect(decode(codec, bytes, 65_535).at(-1)).toEqual(sample(65_534, 1));
    });

    test("decodes any number of the samples of a chunk that was never sealed, into what is there", () => {
      const samples = walk(
        5n,
        Array.from({ length: 50 }, () => 10n),
        [1n, 2n, 2n],
      );
      const chunk = new Chunk(codec, CAPACITY, 7);
      for (const each of samples) chunk.append(each);
      const columns = makeColumns({ capacity: 1 });
      for (let count = 0; count <= 50; count += 1) {
        const before = columns.length;
        codec.decode(chunk.bytes, chunk.at, chunk.length, count, columns);
        expect(samplesOf(columns).slice(before)).toEqual(samples.slice(0, count));
      }
    });
  });

  describe("xor: bytes that nobody trusts", () => {
    /** Decodes inside a larger array, twice with other neighbours: what lies outside must not matter. */
    function decodeAmong(bytes: Uint8Array, count: number): string {
      const results = [0x00, 0xff].map((around) => {
        const whole = new Uint8Array(bytes.length + 32).fill(around);
        whole.set(bytes, 16);
        const columns = makeColumns({ capacity: 4 });
        try {
          codec.decode(whole, 16, bytes.length, count, columns);
        } catch (error) {
          if (!isStorageError(error, "BLOCK_CORRUPT")) throw error;
          expect(columns.length).toBe(0);
          return error.message;
        }
        const samples = samplesOf(columns);
        expect(samples.length).toBe(count);
        const ordered = samples.every(({ time }, i) => i === 0 || time > samples[i - 1]!.time);
        const safe = samples[0]!.time >= -SAFE_MAX && samples.at(-1)!.time <= SAFE_MAX;
        if (!ordered || !safe)
          throw new Error(`times out of order: ${Buffer.from(bytes).toString("hex")}`);
        return samples.map(({ time, bits }) => `${time}:${bits}`).join();
      });
      expect(results[0]).toBe(results[1]);
      return results[0]!;
    }

    test("refuses every chunk that was cut short", () => {
      const samples = walk(
        9n,
        Array.from({ length: 30 }, () => 1000n),
        [STALE, 5n, 5n, 1n << 62n],
      );
      const bytes = encode(samples);
      for (let length = 0; length < bytes.length; length += 1) {
        expect(decodeAmong(bytes.slice(0, length), 30)).toMatch("damaged");
      }
    });

    test("answers 10,000 mutated and random chunks with samples in order, or with BLOCK_CORRUPT", () => {
      const seed = Date.now();
      const random = makeRandom(seed);
      const samples = walk(
        1_700_000_000_000n,
        Array.from({ length: 40 }, () => 15_000n),
        [1n, 2n << 40n, 2n << 40n, STALE],
      );
      const good = encode(samples);
      let refused = 0;
      for (let round = 0; round < 10_000; round += 1) {
        const bytes = round % 4 === 0 ? new Uint8Array(random.below(64)) : good.slice();
        if (round % 4 === 0) for (let i = 0; i < bytes.length; i += 1) bytes[i] = random.word();
        else bytes[2 + random.below(bytes.length - 2)]! ^= 1 << random.below(8);
        const answer = decodeAmong(bytes, 1 + random.below(40));
        if (answer.includes("damaged")) refused += 1;
      }
      expect(refused, `seed ${seed}`).toBeGreaterThan(500);
      expect(refused, `seed ${seed}`).toBeLessThan(9_500);
    });

    test.each([
      ["a window used before any was written", "0002 00 0000000000000000 01 80 00000000000000"],
      ["a window of more than 64 bits", "0002 00 0000000000000000 01 ffff ff00000000000000"],
      ["a window of 65 bits", "0002 00 0000000000000000 01 ff10000000000000"],
      ["a third time equal to the second", "0003 00 0000000000000000 01 5fff80"],
      ["a second time equal to the first", "0002 00 0000000000000000 00 00"],
      ["a first time of 64 bits", "0001 ffffffffffffffffff01 0000000000000000"],
      ["a varint that does not end", "0001 ffffffffffffffffffffffffffffffffffffffff"],
      ["a delta beyond the last safe time", "0002 00 0000000000000000 80808080808080807f 00"],
    ])("refuses %s", (_, text) => {
      const bytes = Buffer.from(text.replaceAll(" ", ""), "hex");
      expect(decodeAmong(bytes, bytes[1]!)).toMatch("damaged");
    });

    test("refuses a count that the bytes cannot hold before it makes room for it", () => {
      const columns = makeColumns({ capacity: 4 });
      const bytes = encode([sample(1, 1), sample(2, 1)]);
      expect(() => codec.decode(bytes, 0, bytes.length, 65_535, columns)).toThrow("too short");
      expect(() => codec.decode(bytes, 0, bytes.length, 65_536, columns)).toThrow("too short");
      expect(columns.times.length).toBe(4);
    });

    test("refuses to read the count of a chunk without a header", () => {
      expect(() => codec.storedCount(Uint8Array.of(1), 0, 1)).toThrow("header is cut off");
    });
  });
}
