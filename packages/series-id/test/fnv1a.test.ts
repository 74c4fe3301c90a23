import { certify, checked } from "@varve/conformance";
import { fnv1aId } from "@varve/series-id/fnv1a";
import { expect, test } from "vitest";
import { describeHashing, hashesOf, openHasher } from "./hashing.ts";

certify(fnv1aId(), { test });
certify(checked(fnv1aId()), { test });

describeHashing(fnv1aId);

test("tells apart keys that are zeros of different lengths", () => {
  const keys = Array.from({ length: 70 }, (_, length) => new Uint8Array(length));
  expect(new Set(hashesOf(openHasher(fnv1aId()), keys)).size).toBe(70);
});

test("promises no published hash", () => {
  expect(fnv1aId()).toMatchObject({ slot: "series-id", name: "fnv1a", traits: { stable: false } });
});
