import { crc32c, makeRandom, plainCrc32c, reserveMemory } from "@varve/bytes";
import fc from "fast-check";
import { expect, test } from "vitest";

/** The definition, a bit at a time. */
function slowCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

test("has the published check value", () => {
  expect(crc32c(Buffer.from("123456789"), 0, 9)).toBe(0xe3069283);
});

/** RFC 3720, B.4, and the empty string. */
test.each([
  ["nothing", new Uint8Array(0), 0],
  ["32 zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["0 … 31", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ["31 … 0", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
] as const)("of %s is what RFC 3720 says", (_, bytes, crc) => {
  expect(crc32c(bytes, 0, bytes.length)).toBe(crc);
});

test("is its definition, from any place to any place", () => {
  const bytes = fc.uint8Array({ maxLength: 80 });
  fc.assert(
    fc.property(bytes, fc.nat(20), fc.nat(20), (all, skipped, dropped) => {
      const from = Math.min(skipped, all.length);
      const until = Math.max(from, all.length - dropped);
      expect(crc32c(all, from, until)).toBe(slowCrc(all.subarray(from, until)));
    }),
  );
});

test("can be taken in pieces", () => {
  const random = makeRandom(11);
  const bytes = Uint8Array.from({ length: 1000 }, () => random.below(256));
  const whole = crc32c(bytes, 0, 1000);
  for (let split = 0; split <= 1000; split += 1) {
    expect(crc32c(bytes, split, 1000, crc32c(bytes, 0, split))).toBe(whole);
  }
});

test("is the same by the kernel as without it, whatever the length, the place, the memory, and what came before", () => {
  const seed = Date.now();
  const random = makeRandom(seed);
  const heap = new Uint8Array(300_000).map(() => random.word());
  const shared = reserveMemory({ bytesMax: 2 ** 19 }).bytes(64, heap.length);
  shared.set(heap);
  for (let round = 0; round < 400; round += 1) {
    const length = random.below(random.pick([600, 2000, 10_000, 140_000]));
    const from = random.below(heap.length - length);
    const crc = random.chance(0.5) ? 0 : random.word();
    const expected = plainCrc32c(heap, from, from + length, crc);
    expect(crc32c(heap, from, from + length, crc), `seed ${seed}`).toBe(expected);
    expect(crc32c(shared, from, from + length, crc), `seed ${seed}`).toBe(expected);
  }
  expect(crc32c(heap, 0, 5000)).toBe(slowCrc(heap.subarray(0, 5000)));
});
