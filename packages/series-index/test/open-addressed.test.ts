import { certify, checked } from "@varve/conformance";
import { test } from "vitest";
import { openAddressedIndex } from "../src/open-addressed.ts";
import { testOpenAddressed } from "./open-addressed-tests.ts";

certify(openAddressedIndex(), { test });
certify(checked(openAddressedIndex()), { test });

testOpenAddressed(openAddressedIndex);
