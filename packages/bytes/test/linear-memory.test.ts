import { makeRandom, MEMORY_BYTES_MAX, reserveMemory, spanBytes } from "@varve/bytes";
import { isStorageError, NO_OFFSET, type Memory, type Offset } from "@varve/contracts";
import { describe, expect, test } from "vitest";

interface Span {
  readonly at: Offset;
  readonly bytes: number;
  readonly mark: number;
}

describe("a linear memory", () => {
  test.each([1, 2, 3, 4])("hands out spans that never overlap (seed %i)", (seed) => {
    const random = makeRandom(seed);
    const memory = reserveMemory({ bytesMax: 2 ** 20 });
    const live: Span[] = [];
    let [taken, refused] = [0, 0];
    for (let step = 0; step < 4000; step += 1) {
      if (live.length > 0 && random.chance(0.45)) {
        const [span] = live.splice(random.below(live.length), 1);
        checkSpan(memory, span!, `seed ${seed}, step ${step}`);
        memory.give(span!.at, span!.bytes);
        taken -= spanBytes(span!.bytes);
      } else {
        const bytes = 1 + Math.floor(2 ** (random.unit() * 15));
        const dirty = random.chance(0.3);
        const at = memory.take(bytes, dirty);
        if (at === NO_OFFSET) {
          refused += 1;
          continue;
        }
        const mark = 1 + random.below(255);
        const view = memory.bytes(at, bytes);
        if (!dirty) expect(view.every((byte) => byte === 0)).toBe(true);
        expect(at % 64).toBe(0);
        expect(at + spanBytes(bytes)).toBeLessThanOrEqual(memory.bytesMax);
        view.fill(mark);
        live.push({ at, bytes, mark });
        taken += spanBytes(bytes);
      }
      expect(memory.bytesTaken).toBe(taken);
    }
    expect(refused).toBeGreaterThan(0);
    for (const span of live) checkSpan(memory, span, `seed ${seed}, at the end`);
  });

  test("answers NO_OFFSET when it is full, and goes on once something is given back", () => {
    const memory = reserveMemory({ bytesMax: 65_536 });
    const spans: Offset[] = [];
    for (let at = memory.take(4096); at !== NO_OFFSET; at = memory.take(4096)) spans.push(at);
    expect(spans.length).toBe(15); // The first line belongs to nobody, so 16 do not fit.
    expect(memory.bytesTaken).toBe(15 * 4096);
    memory.give(spans[7]!, 4096);
    expect(memory.take(4096)).toBe(spans[7]);
    expect(memory.take(4096)).toBe(NO_OFFSET);
    expect(memory.take(2048)).not.toBe(NO_OFFSET);
  });

  test("serves any size from what other sizes gave back", () => {
    const memory = reserveMemory({ bytesMax: 2 ** 20 });
    for (const bytes of [64, 4096, 100_000, 64, 6000, 200_000, 128, 2 ** 18]) {
      const spans: Offset[] = [];
      for (let at = memory.take(bytes); at !== NO_OFFSET; at = memory.take(bytes)) spans.push(at);
      expect(spans.length, `${bytes}`).toBe(Math.floor((2 ** 20 - 64) / spanBytes(bytes)));
      // Every second one first, so that each of the others has free neighbours when it comes back.
      for (let i = 0; i < spans.length; i += 2) memory.give(spans[i]!, bytes);
      for (let i = 1; i < spans.length; i += 2) memory.give(spans[i]!, bytes);
      expect(memory.bytesTaken).toBe(0);
    }
    expect(memory.take(2 ** 20 - 2 ** 18)).not.toBe(NO_OFFSET);
  });

  test.each([1, 2, 3])(
    "needs no more than three times its largest load, however sizes change (seed %i)",
    (seed) => {
      const random = makeRandom(seed);
      const memory = reserveMemory({ bytesMax: 3 * 2 ** 20 });
      const live: Span[] = [];
      let taken = 0;
      for (let round = 0; round < 120; round += 1) {
        // Each round has sizes of its own, as series do whose keys and chunks change over the years.
        const sizes = Array.from({ length: 4 }, () => Math.floor(2 ** (6 + random.unit() * 8)));
        while (taken < 2 ** 20) {
          const bytes = random.pick(sizes);
          const at = memory.take(bytes, true);
          if (at === NO_OFFSET) throw new Error(`seed ${seed}, round ${round}: no ${bytes} bytes`);
          memory.bytes(at, bytes).fill(round);
          live.push({ at, bytes, mark: round });
          taken += spanBytes(bytes);
        }
        while (taken > 2 ** 17) {
          const last = live.pop()!;
          const i = random.below(live.length);
          const span = live[i]!;
          live[i] = last;
          checkSpan(memory, span, `seed ${seed}, round ${round}`);
          memory.give(span.at, span.bytes);
          taken -= spanBytes(span.bytes);
        }
        expect(memory.bytesTaken).toBe(taken);
      }
    },
  );

  test("zeroes what was used before, also where it hands out fresh bytes behind it", () => {
    const memory = reserveMemory({ bytesMax: 2 ** 17 });
    const at = memory.take(5000);
    memory.bytes(at, 5000).fill(7);
    memory.give(at, 5000);
    const again = memory.take(50_000);
    expect(again).toBe(at);
    expect(memory.bytes(again, 50_000).every((byte) => byte === 0)).toBe(true);
  });

  test("asserts that a span is given back once", () => {
    const memory = reserveMemory({ bytesMax: 65_536 });
    const first = memory.take(64);
    memory.take(64);
    memory.give(first, 64);
    expect(() => memory.give(first, 64)).toThrow("a span is given back once");
    expect(() => memory.give(60_032, 64)).toThrow("a span that is given back was taken");
  });

  test("never hands out offset 0", () => {
    expect(reserveMemory({ bytesMax: 65_536 }).take(1)).toBeGreaterThan(0);
  });

  test("gives views of the same bytes, which index from 0", () => {
    const memory = reserveMemory({ bytesMax: 65_536 });
    const at = memory.take(64);
    memory.doubles(at, 8)[1] = -2;
    memory.words(at, 16)[0] = -2;
    expect([...memory.bytes(at, 4)]).toEqual([0xfe, 0xff, 0xff, 0xff]);
    expect(memory.unsigned(at, 1)[0]).toBe(0xfffffffe);
    expect(memory.unsigned(at, 4)[3]).toBe(0xc0000000);
    expect(memory.bytes(at, 64).buffer).toBe(memory.wasm.buffer);
    expect(memory.wasm.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  test("asserts that spans have bytes, and that what is given back was a span", () => {
    const memory = reserveMemory({ bytesMax: 65_536 });
    expect(() => memory.take(0)).toThrow("a span has at least one byte, got 0");
    expect(() => memory.give(NO_OFFSET, 64)).toThrow("a span starts on a line, got 0");
    expect(() => memory.give(65, 64)).toThrow("a span starts on a line, got 65");
  });
});

describe("a reservation", () => {
  test("is rounded up to whole pages, and is 1 GiB by default", () => {
    expect(reserveMemory({ bytesMax: 1 }).bytesMax).toBe(65_536);
    expect(reserveMemory({ bytesMax: 65_537 }).bytesMax).toBe(131_072);
    expect(MEMORY_BYTES_MAX).toBe(2 ** 30);
  });

  test("of 65,535 pages works, with views up to its last byte", () => {
    const memory = reserveMemory({ bytesMax: 65_535 * 65_536 });
    const last = memory.bytes(memory.bytesMax - 64, 64);
    last[63] = 7;
    expect(memory.bytes(memory.bytesMax - 1, 1)[0]).toBe(7);
  });

  test.each([65_536 * 65_536, 65_535 * 65_536 + 1, 0, -1, 1.5, Number.NaN, Infinity])(
    "of %d bytes is LIMIT, and names the option",
    (bytesMax) => {
      try {
        reserveMemory({ bytesMax });
      } catch (error) {
        expect(isStorageError(error, "LIMIT")).toBe(true);
        expect((error as Error).message).toContain("memoryBytesMax");
        expect(error).toMatchObject({ facts: { limit: "memoryBytesMax", value: bytesMax } });
        return;
      }
      throw new Error("nothing was thrown");
    },
  );
});

describe("spanBytes", () => {
  test("is at least what was asked for, whole lines, and at most half as much again above 4 KiB", () => {
    for (let bytes = 1; bytes < 300_000; bytes += bytes < 10_000 ? 1 : 37) {
      const span = spanBytes(bytes);
      expect(span >= bytes && span % 64 === 0, `${bytes}`).toBe(true);
      expect(span <= (bytes <= 4096 ? bytes + 63 : bytes * 1.5), `${bytes}: ${span}`).toBe(true);
      expect(spanBytes(span)).toBe(span);
    }
  });

  test("stays exact for spans of gigabytes", () => {
    expect(spanBytes(2 ** 31)).toBe(2 ** 31);
    expect(spanBytes(2 ** 31 + 1)).toBe(1.5 * 2 ** 31);
    expect(spanBytes(3 * 2 ** 30 + 1)).toBe(2 ** 32);
  });
});

function checkSpan(memory: Memory, { at, bytes, mark }: Span, when: string): void {
  const intact = memory.bytes(at, bytes).every((byte) => byte === mark);
  if (!intact) throw new Error(`${when}: the span of ${bytes} bytes at ${at} was written to`);
}

test("prefault touches only what no span has used, and stops at the end", () => {
  const memory = reserveMemory({ bytesMax: 2 ** 20 });
  const at = memory.take(4096);
  memory.bytes(at, 4096).fill(7);
  memory.prefault(2 ** 30);
  memory.prefault(2 ** 30);
  expect(memory.bytes(at, 4096).every((byte) => byte === 7)).toBe(true);
  const next = memory.take(2 ** 16);
  expect(memory.bytes(next, 2 ** 16).every((byte) => byte === 0)).toBe(true);
});
