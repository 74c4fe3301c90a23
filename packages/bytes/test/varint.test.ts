import {
  makeRandom,
  readI64,
  readU32,
  readU64,
  uvarintBytes,
  VARINT_BYTES_MAX,
  VarintReader,
  writeU32,
  writeU64,
  writeUvarint,
  writeVarint,
} from "@varve/bytes";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const MAX = Number.MAX_SAFE_INTEGER;

/** Go's PutUvarint, over bigints. */
function slowUvarint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

function slowVarint(value: bigint): number[] {
  return slowUvarint(value < 0n ? -2n * value - 1n : 2n * value);
}

/** Powers of two and their neighbours, where lengths and code paths change. */
const EDGES: number[] = [0, MAX];
for (let bit = 0; bit < 53; bit += 1) EDGES.push(2 ** bit - 1, 2 ** bit, 2 ** bit + 1);
const edges = EDGES.filter((value) => value <= MAX);

const random = makeRandom(41);
const naturals = [...edges];
for (let i = 0; i < 5000; i += 1) naturals.push(Math.floor(random.unit() * 2 ** random.below(54)));
const integers = naturals.flatMap((value) => [value, -value]);

function written(
  write: (bytes: Uint8Array, at: number, value: number) => number,
  value: number,
): number[] {
  const bytes = new Uint8Array(16).fill(0xee);
  const end = write(bytes, 1, value);
  expect([bytes[0], bytes[end]]).toEqual([0xee, 0xee]);
  return [...bytes.subarray(1, end)];
}

function readerOf(bytes: ArrayLike<number>): VarintReader {
  const reader = new VarintReader();
  reader.reset(Uint8Array.from(bytes), 0, bytes.length);
  return reader;
}

describe("varints", () => {
  test("of every size up to 2^53-1 are Go's, and are read back", () => {
    for (const value of naturals) {
      const bytes = written(writeUvarint, value);
      expect(bytes).toEqual(slowUvarint(BigInt(value)));
      expect(uvarintBytes(value)).toBe(bytes.length);
      const reader = readerOf([...bytes, 7]);
      expect(reader.unsigned()).toBe(value);
      expect([reader.at, reader.failed]).toEqual([bytes.length, false]);
    }
  });

  test("of both signs down to -(2^53-1) are Go's, and are read back", () => {
    for (const value of integers) {
      const bytes = written(writeVarint, value);
      expect(bytes).toEqual(slowVarint(BigInt(value)));
      expect(bytes.length).toBeLessThanOrEqual(VARINT_BYTES_MAX);
      const reader = readerOf([...bytes, 7]);
      expect(reader.signed()).toBe(value + 0);
      expect([reader.at, reader.failed]).toEqual([bytes.length, false]);
    }
  });
});

describe("a varint reader", () => {
  test("answers what bigints answer for any bytes, or fails", () => {
    const bytes = fc.uint8Array({ maxLength: 12 });
    const long = fc.array(fc.integer({ min: 128, max: 255 }), { maxLength: 11 });
    fc.assert(
      fc.property(fc.oneof(bytes, long), fc.nat(255), fc.boolean(), (head, last, signed) => {
        const input = [...head, last];
        const expected = slowRead(input, signed);
        const reader = readerOf(input);
        const value = signed ? reader.signed() : reader.unsigned();
        expect(reader.failed).toBe(expected === undefined);
        expect(value).toBe(expected?.value ?? 0);
        expect(reader.at).toBe(expected?.length ?? 0);
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    ["2^53", slowUvarint(2n ** 53n), slowVarint(2n ** 53n)],
    ["2^63 and -2^53", slowUvarint(2n ** 63n), slowVarint(-(2n ** 53n))],
    ["2^64-1 and -2^63", slowUvarint(2n ** 64n - 1n), slowVarint(-(2n ** 63n))],
  ])("refuses %s, which is not a safe integer", (_, unsigned, signed) => {
    const reader = readerOf(unsigned);
    expect([reader.unsigned(), reader.failed, reader.at]).toEqual([0, true, 0]);
    reader.reset(Uint8Array.from(signed), 0, signed.length);
    expect([reader.signed(), reader.failed, reader.at]).toEqual([0, true, 0]);
  });

  test("never reads behind its end, even where the array goes on", () => {
    const reader = new VarintReader();
    for (const read of ["unsigned", "signed", "u64"] as const) {
      reader.reset(Uint8Array.of(0x80, 0x80, 1, 1, 1, 1, 1, 1, 1, 1), 0, 2);
      expect([reader[read](), reader.failed, reader.at]).toEqual([0, true, 0]);
      reader.reset(Uint8Array.of(1), 1, 1);
      expect([reader[read](), reader.failed, reader.at]).toEqual([0, true, 1]);
    }
  });

  test("refuses more than ten bytes, whatever they add up to", () => {
    const endless = Array<number>(10).fill(0x80);
    for (const read of ["unsigned", "signed"] as const) {
      const reader = readerOf([...endless, 0]);
      expect([reader[read](), reader.failed]).toEqual([0, true]);
      const allowed = readerOf([...endless.slice(1), 0]);
      expect([allowed[read](), allowed.failed, allowed.at]).toEqual([0, false, 10]);
    }
  });

  test("once failed, answers 0 and stays where it is, until it is reset", () => {
    const reader = readerOf([5, 0x80]);
    expect(reader.unsigned()).toBe(5);
    expect(reader.signed()).toBe(0);
    reader.bytes = new Uint8Array(32).fill(1);
    reader.until = 32;
    for (const read of ["unsigned", "signed", "u64"] as const) {
      expect([reader[read](), reader.failed, reader.at]).toEqual([0, true, 1]);
    }
    reader.reset(Uint8Array.of(9), 0, 1);
    expect([reader.unsigned(), reader.failed]).toEqual([9, false]);
  });

  test("reads big-endian words of 64 bits that fit", () => {
    const bytes = new Uint8Array(16);
    writeU64(bytes, 0, MAX);
    writeU64(bytes, 8, -1);
    const reader = readerOf(bytes);
    expect(reader.u64()).toBe(MAX);
    expect([reader.u64(), reader.failed, reader.at]).toEqual([0, true, 8]);
  });
});

test("words are big-endian, as DataView writes them", () => {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  for (const value of integers) {
    writeU64(bytes, 1, value);
    expect(view.getBigInt64(1)).toBe(BigInt(value));
    expect(readI64(bytes, 1)).toBe(value + 0);
    if (value >= 0) expect(readU64(bytes, 1)).toBe(value + 0);
    writeU32(bytes, 3, value);
    expect(view.getUint32(3)).toBe(Number(BigInt.asUintN(32, BigInt(value))));
    expect(readU32(bytes, 3)).toBe(view.getUint32(3));
  }
});

test("numbers beyond 2^53 are rounded, not cut", () => {
  const bytes = new Uint8Array(8).fill(0xff);
  expect(readU64(bytes, 0)).toBe(2 ** 64);
  expect(readI64(bytes, 0)).toBe(-1);
  bytes.fill(0, 1);
  bytes[0] = 0x80;
  expect(readI64(bytes, 0)).toBe(-(2 ** 63));
});

/** What a reader that takes ten bytes and safe integers should answer. */
function slowRead(
  bytes: readonly number[],
  signed: boolean,
): { value: number; length: number } | undefined {
  const last = bytes.findIndex((byte) => byte < 128);
  if (last === -1 || last >= 10) return undefined;
  let code = 0n;
  for (let i = last; i >= 0; i -= 1) code = (code << 7n) | BigInt(bytes[i]! & 127);
  const value = signed ? (code >> 1n) ^ -(code & 1n) : code;
  if (value > BigInt(MAX) || value < -BigInt(MAX)) return undefined;
  return { value: Number(value), length: last + 1 };
}
