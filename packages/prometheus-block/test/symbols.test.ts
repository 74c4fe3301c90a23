import { makeRandom, type Random } from "@varve/bytes";
import { noPause } from "@varve/contracts";
import { expect, test } from "vitest";
import { Symbols } from "../src/internal/symbols.ts";

const SEED = Number(process.env["VARVE_SEED"] ?? 4711);

/** Bytes that share beginnings, end early, and hold zeros. */
function symbolOf(random: Random): Buffer {
  const beginning = random.pick(["", "host_", "host_1", "a", "\u0000\u0000", "x".repeat(300)]);
  const length = random.pick([0, 1, 2, 3, 4, 5, 6, 7, 12]);
  const letters = random.pick([2, 3, 256]);
  const rest = Array.from({ length }, () => random.below(letters));
  return Buffer.concat([Buffer.from(beginning), Buffer.from(rest)]);
}

test.each([0, 1, 2, 17, 40, 1000, 60_000])(
  "interns each of %i symbols once and gives them the order of their bytes",
  async (count) => {
    const random = makeRandom(SEED + count);
    const symbols = new Symbols();
    const ids = new Map<string, number>();
    for (let i = 0; i < count; i += 1) {
      const bytes = symbolOf(random);
      const text = bytes.toString("latin1");
      const known = ids.get(text);
      const found = symbols.find(bytes, 0, bytes.length);
      const id = symbols.intern(bytes, 0, bytes.length);
      if (found !== (known ?? -1) || id !== (known ?? ids.size)) {
        throw new Error(
          `seed ${SEED}: symbol ${i} has id ${String(known)}, got ${found} and ${id}`,
        );
      }
      ids.set(text, id);
    }
    expect(symbols.count).toBe(ids.size);
    await symbols.sort(noPause);
    const sorted = [...ids.keys()]
      .map((text) => Buffer.from(text, "latin1"))
      .sort((a, b) => a.compare(b));
    const inOrder = sorted.map((_, ordinal) => {
      const id = symbols.idAt(ordinal);
      if (symbols.ordinalOf(id) !== ordinal) throw new Error(`seed ${SEED}: ordinal ${ordinal}`);
      const start = symbols.start(id);
      return Buffer.from(symbols.page(id).subarray(start, start + symbols.length(id)));
    });
    expect(
      inOrder.every((bytes, i) => bytes.equals(sorted[i]!)),
      `seed ${SEED}`,
    ).toBe(true);
  },
);

test("asks for a pause every few thousand symbols while it sorts", async () => {
  const symbols = new Symbols();
  for (let i = 0; i < 100_000; i += 1) {
    const bytes = Buffer.from(`host_${i}`);
    symbols.intern(bytes, 0, bytes.length);
  }
  let pauses = 0;
  await symbols.sort(() => {
    pauses += 1;
    return undefined;
  });
  expect(pauses).toBeGreaterThan(100);
});
