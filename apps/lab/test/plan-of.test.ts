import { SLOTS } from "@varve/contracts";
import { planNames } from "@varve/engine";
import { seed } from "varve";
import { expect, test } from "vitest";
import { CATALOG } from "../src/catalog.ts";
import { planOf, PRESETS, variantOf } from "../src/plan-of.ts";

test.each(SLOTS)("names the variants of %s as they name themselves", (slot) => {
  const entries = Object.entries(CATALOG[slot]);
  expect(entries.length).toBeGreaterThan(0);
  for (const [name, { make, description }] of entries) {
    expect(make()).toMatchObject({ slot, name });
    expect(description).not.toBe("");
  }
});

test.each(Object.entries(PRESETS))("knows every variant of the plan %s", (_, make) => {
  const plan = make();
  for (const slot of SLOTS) expect(Object.keys(CATALOG[slot])).toContain(plan[slot].name);
});

test("swaps exactly the slots that a spec names", () => {
  const plan = planOf({ base: "seed", "series-index": "open-addressed" });
  expect(planNames(plan)).toEqual({ ...planNames(seed()), "series-index": "open-addressed" });
});

test("takes the recommended plan unless a spec names another", () => {
  expect(planNames(planOf({}))).toEqual(planNames(PRESETS.recommended()));
});

test("hands options to the factory", () => {
  expect(variantOf("wal", "batched", { groupBytesMax: 1 }).name).toBe("batched");
});

test("refuses what it does not know with an INPUT error that says what there is", () => {
  const refusal = (message: RegExp): object =>
    expect.objectContaining({ code: "INPUT", message: expect.stringMatching(message) as string });
  expect(() => planOf({ wal: "fast" })).toThrow(refusal(/wal has no variant "fast".*batched/));
  expect(() => planOf({ base: "best" as "seed" })).toThrow(refusal(/no plan "best".*seed/));
  expect(() => variantOf("wal", "toString")).toThrow(refusal(/no variant/));
  expect(() => variantOf("wal", "batched", { delay: 1 })).toThrow(refusal(/"delay".*delayMsMax/));
});
