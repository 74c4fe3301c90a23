import { certify, checked } from "@varve/conformance";
import { xxh64Id } from "@varve/series-id/xxh64";
import { expect, test } from "vitest";
import { describeHashing } from "./hashing.ts";
import { describeXxh64 } from "./xxh64-tests.ts";

certify(xxh64Id(), { test });
certify(checked(xxh64Id()), { test });

describeHashing(xxh64Id);
describeXxh64(xxh64Id);

test("promises StableHash, and asks for no memory", () => {
  expect(xxh64Id()).toMatchObject({ slot: "series-id", name: "xxh64", traits: { stable: true } });
  expect(() => xxh64Id().open({ seed: { low: 0, high: 0 } })).not.toThrow();
});
