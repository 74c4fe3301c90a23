import { certify, checked } from "@varve/conformance";
import { expect, test } from "vitest";
import { xorWasmChunk } from "../src/xor-wasm.ts";
import { MEMORY } from "./harness.ts";
import { testXor } from "./xor-tests.ts";

certify(xorWasmChunk(), { test });
certify(checked(xorWasmChunk()), { test });

const codec = await xorWasmChunk().open({ memory: MEMORY });
testXor(codec);

test("declares what it needs: no linear memory, 32 bytes of state, 18 for a sample", () => {
  expect(xorWasmChunk().traits).toEqual({ encoding: 1, needsLinear: false });
  expect([codec.encoding, codec.stateBytes, codec.capacityMin]).toEqual([1, 32, 18]);
});
