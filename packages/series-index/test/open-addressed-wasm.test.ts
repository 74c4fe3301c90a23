import { certify, checked } from "@varve/conformance";
import { test } from "vitest";
import { openAddressedWasmIndex } from "../src/open-addressed-wasm.ts";
import { testOpenAddressed } from "./open-addressed-tests.ts";

certify(openAddressedWasmIndex(), { test });
certify(checked(openAddressedWasmIndex()), { test });

testOpenAddressed(openAddressedWasmIndex);
