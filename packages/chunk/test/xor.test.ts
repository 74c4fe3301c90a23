import { certify, checked } from "@varve/conformance";
import { expect, test } from "vitest";
import { xorChunk } from "../src/xor.ts";
import { MEMORY } from "./harness.ts";
import { testXor } from "./xor-tests.ts";

certify(xorChunk(), { test });
certify(checked(xorChunk()), { test });

const codec = await xorChunk().open({ memory: MEMORY });
testXor(codec);

test("declares what it needs: no linear memory, 32 bytes of state, 18 for a sample", () => {
  expect(xorChunk().traits).toEqual({ encoding: 1, needsLinear: false });
  expect([codec.encoding, codec.stateBytes, codec.capacityMin]).toEqual([1, 32, 18]);
});
