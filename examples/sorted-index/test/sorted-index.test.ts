import { sortedIndex } from "@example/sorted-index";
import { certify, checked } from "@varve/conformance";
import { describe, test } from "vitest";

describe("bare", () => certify(sortedIndex(), { test }));
describe("checked", () => certify(checked(sortedIndex()), { test }));
