import { plainKey } from "@varve/label-key/plain";
import { expect, test } from "vitest";
import { describeKeys } from "./promises.ts";

describeKeys(plainKey);

test("remembers nothing, and says so", () => {
  expect(plainKey()).toMatchObject({ slot: "label-key", name: "plain", traits: { caches: false } });
});
