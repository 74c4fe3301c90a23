import { certify, checked } from "@varve/conformance";
import { plainKey } from "@varve/label-key/plain";
import { expect, test } from "vitest";
import { describeKeys } from "./promises.ts";

certify(plainKey(), { test });
certify(checked(plainKey()), { test });

describeKeys(plainKey);

test("remembers nothing, and says so", () => {
  expect(plainKey()).toMatchObject({ slot: "label-key", name: "plain", traits: { caches: false } });
});
