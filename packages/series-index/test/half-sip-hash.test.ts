import { expect, test } from "vitest";
import { halfSipHash } from "../src/half-sip-hash.ts";

test("gives the published HalfSipHash-1-3 values (Linux, lib/siphash: bytes 0, 1, 2 … under key 0 … 7)", () => {
  const expected = [
    0x5814c896, 0xe7e864ca, 0xbc4b0e30, 0x01539939, 0x7e059ea6, 0x88e3d89b, 0xa0080b65, 0x9d38d9d6,
  ];
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => i);
  for (const [length, value] of expected.entries()) {
    expect(halfSipHash(bytes, 0, length, 0x03020100, 0x07060504)).toBe(value);
  }
});

test("depends on the key, on every byte and on nothing outside the range", () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
  const seen = new Set([halfSipHash(bytes, 3, 30, 1, 2), halfSipHash(bytes, 3, 30, 2, 2)]);
  seen.add(halfSipHash(bytes, 3, 30, 1, 3));
  for (let at = 3; at < 30; at += 1) {
    bytes[at]! ^= 0x10;
    seen.add(halfSipHash(bytes, 3, 30, 1, 2));
    bytes[at]! ^= 0x10;
  }
  expect(seen.size).toBe(30);
  const before = halfSipHash(bytes, 3, 30, 1, 2);
  bytes[2] = 99;
  bytes[30] = 99;
  expect(halfSipHash(bytes, 3, 30, 1, 2)).toBe(before);
});
