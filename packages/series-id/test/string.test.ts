import { keyOf } from "@varve/bytes";
import { certify, checked } from "@varve/conformance";
import { stringId } from "@varve/series-id/string";
import { expect, test } from "vitest";
import { describeHashing, hashesOf, openHasher } from "./hashing.ts";

certify(stringId(), { test });
certify(checked(stringId()), { test });

describeHashing(stringId);

test("tells apart label sets that would read alike if they were not escaped", () => {
  const sets = [
    { a: 'b",c="d' },
    { a: "b", c: "d" },
    { 'a="b",c': "d" },
    { a: 'b\\",c="d' },
    { "a=": "b" },
    { a: "=b" },
    { "a\\": "b" },
  ] as const;
  const hashes = hashesOf(
    openHasher(stringId()),
    sets.map((labels) => keyOf({ ...labels })),
  );
  expect(new Set(hashes).size).toBe(sets.length);
});

test("reads names and values beyond ASCII", () => {
  const keys = ["é", "è", "😀", "😁", "\uE000"].map((host) => keyOf({ host }));
  expect(new Set(hashesOf(openHasher(stringId()), keys)).size).toBe(keys.length);
});

test("promises no published hash", () => {
  expect(stringId()).toMatchObject({
    slot: "series-id",
    name: "string",
    traits: { stable: false },
  });
});
