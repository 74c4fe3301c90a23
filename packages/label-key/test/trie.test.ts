import { keyOf } from "@varve/bytes";
import { certify, checked } from "@varve/conformance";
import { LABEL_LIMITS, type Labels } from "@varve/contracts";
import { trieKey } from "@varve/label-key/trie";
import { describe, expect, test } from "vitest";
import { encode, refusalOf, smallBatch } from "./keys.ts";
import { describeKeys } from "./promises.ts";

certify(trieKey(), { test });
certify(checked(trieKey()), { test });

describeKeys(trieKey);

describe("without room for a single shape", () => {
  describeKeys(() => trieKey({ nodesMax: 0 }));
});

describe("with room for a few shapes", () => {
  describeKeys(() => trieKey({ nodesMax: 12 }));
});

describe("the trie", () => {
  test("learns a shape at its first sight and knows it afterwards", () => {
    const encoder = trieKey().open({ limits: LABEL_LIMITS });
    const batch = smallBatch();
    for (const host of ["a", "b", "c"]) encode(encoder, batch, { job: "j", host });
    encode(encoder, batch, { host: "a", job: "j" });
    const expected = { nodes: 4, shapes: 2, hits: 2, learned: 2, fallbacks: 0 };
    expect(encoder.stats).toEqual(expected);
  });

  test("tells a set from its own beginnings and from empty values", () => {
    const encoder = trieKey().open({ limits: LABEL_LIMITS });
    const batch = smallBatch();
    const sets: Labels[] = [
      { a: "1", b: "2", c: "3" },
      { a: "1" },
      { a: "1", b: "", c: "3" },
      { b: "2" },
    ];
    for (const labels of [...sets, ...sets]) {
      expect(encode(encoder, batch, labels)).toEqual(keyOf(labels));
    }
    expect(encoder.stats).toEqual({ nodes: 5, shapes: 4, hits: 4, learned: 4, fallbacks: 0 });
  });

  test("stops at its bound, and encodes what does not fit the plain way", () => {
    const encoder = trieKey({ nodesMax: 5 }).open({ limits: LABEL_LIMITS });
    const batch = smallBatch();
    for (let i = 0; i < 20; i += 1) {
      const labels = { a: "x", [`b${i}`]: "y" };
      expect(encode(encoder, batch, labels)).toEqual(keyOf(labels));
    }
    expect(encoder.stats).toEqual({ nodes: 5, shapes: 4, hits: 0, learned: 4, fallbacks: 16 });
    expect(encode(encoder, batch, { a: "z", b0: "y" })).toEqual(keyOf({ a: "z", b0: "y" }));
    expect(encoder.stats.hits).toBe(1);
  });

  test("learns nothing from a set that is refused", () => {
    const encoder = trieKey().open({ limits: LABEL_LIMITS });
    const batch = smallBatch();
    const row = batch.add(0, 0);
    const sets: Labels[] = [{ a: "\uD800" }, { "b\uDC00": "x" }, { c: "d", "": "e" }];
    for (const labels of sets) {
      refusalOf(() => encoder.encode(labels, batch, row));
    }
    expect(encoder.stats).toEqual({ nodes: 0, shapes: 0, hits: 0, learned: 0, fallbacks: 0 });
  });

  test("keeps the last key when the one after it is refused halfway", () => {
    const encoder = trieKey().open({ limits: LABEL_LIMITS });
    const batch = smallBatch();
    const first = { a: "1", b: "x".repeat(60), c: "3" };
    for (let i = 0; i < 2; i += 1) encode(encoder, batch, first);
    const row = batch.add(0, 0);
    refusalOf(() => encoder.encode({ a: "changed", b: "y", c: "\uD800" }, batch, row));
    expect(encode(encoder, batch, { ...first, a: "2" })).toEqual(keyOf({ ...first, a: "2" }));
  });

  test("compares values by content, not by identity", () => {
    const encoder = trieKey().open({ limits: LABEL_LIMITS });
    const batch = smallBatch();
    for (let i = 0; i < 3; i += 1) {
      const fresh = JSON.parse('{"a":"same","b":"also the same"}') as Record<string, string>;
      expect(encode(encoder, batch, fresh)).toEqual(keyOf(fresh));
    }
  });

  test("declares that it caches, and refuses a bound that is no count", () => {
    expect(trieKey()).toMatchObject({ slot: "label-key", name: "trie", traits: { caches: true } });
    expect(() => trieKey({ nodesMax: -1 })).toThrow("nodesMax is a count, got -1");
  });
});
