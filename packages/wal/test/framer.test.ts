import { makeRandom, makeRecordBuffer, reserveMemory } from "@varve/bytes";
import { NO_OFFSET } from "@varve/contracts";
import { expect, test } from "vitest";
import { Framer } from "../src/internal/framer.ts";
import { framedBytesMax, PAGE_BYTES } from "../src/internal/layout.ts";

const memory = reserveMemory({ bytesMax: 2 ** 24 });

test("frames by the kernel what it frames without, byte for byte, wherever in a page records begin and end", () => {
  const seed = Date.now();
  const random = makeRandom(seed);
  const plain = new Framer({ bytes: 1 });
  const kernel = new Framer({ bytes: 1, memory });
  using records = makeRecordBuffer({ bytes: 200_000, memory });
  records.bytes.set(Uint8Array.from({ length: 200_000 }, () => random.word()));
  expect(kernel.out.buffer).toBe(memory.wasm.buffer);
  for (let round = 0; round < 1500; round += 1) {
    const left = PAGE_BYTES - (plain.position % PAGE_BYTES);
    // Often such that a page is left with no room, or with a few bytes that no header fits.
    const near = Math.max(0, left - 7 - random.below(16));
    const length = random.pick([
      random.below(40),
      random.below(2000),
      near,
      near,
      random.below(150_000),
    ]);
    const from = random.below(200_000 - length + 1);
    for (const framer of [plain, kernel]) {
      framer.reserve(framedBytesMax(1, length));
      framer.record(records.bytes, from, from + length);
      if (round % 3 === 0) framer.commit(1, round + 1, round);
      if (round % 50 === 49) framer.padPage();
    }
    expect(kernel.length, `seed ${seed}`).toBe(plain.length);
    expect(kernel.chain, `seed ${seed}`).toBe(plain.chain);
    if (round % 7 !== 0) continue;
    expect(bytesOf(kernel).equals(bytesOf(plain)), `seed ${seed}, round ${round}`).toBe(true);
    for (const framer of [plain, kernel]) framer.release();
  }
  const taken = memory.bytesTaken;
  kernel.dispose();
  expect(memory.bytesTaken).toBeLessThan(taken);
});

test("frames without the kernel records that lie elsewhere, and all of them when the memory is full", () => {
  const full = reserveMemory({ bytesMax: 2 ** 17 });
  while (full.take(64) !== NO_OFFSET);
  const record = Uint8Array.from({ length: 1000 }, (_, i) => i);
  const expected = new Framer({ bytes: 1 });
  expected.record(record, 3, 900);
  for (const framer of [new Framer({ bytes: 1, memory }), new Framer({ bytes: 1, memory: full })]) {
    framer.record(record, 3, 900);
    expect(bytesOf(framer).equals(bytesOf(expected))).toBe(true);
    framer.dispose();
  }
});

function bytesOf({ out, length }: Framer): Buffer {
  return Buffer.from(out.subarray(0, length));
}
