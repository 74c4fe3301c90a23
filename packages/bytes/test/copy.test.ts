import { copyBytes } from "@varve/bytes";
import fc from "fast-check";
import { expect, test } from "vitest";

test("copies a range of any length to its place, and nothing beside it", () => {
  const lengths = fc.oneof(fc.nat(20), fc.integer({ min: 250, max: 260 }), fc.nat(2000));
  fc.assert(
    fc.property(lengths, fc.nat(9), fc.nat(9), (length, from, at) => {
      const bytes = Uint8Array.from({ length: from + length + 5 }, (_, i) => 1 + (i % 250));
      const into = new Uint8Array(at + length + 5);
      expect(copyBytes(bytes, from, from + length, into, at)).toBe(at + length);
      const expected = new Uint8Array(at + length + 5);
      expected.set(bytes.subarray(from, from + length), at);
      expect(into).toEqual(expected);
    }),
  );
});
