import { countDistinct } from "@varve/workload";
import { expect, test } from "vitest";

test("counts label sets that differ, whatever the order of their labels", () => {
  const sets = [{ a: "b", c: "d" }, { c: "d", a: "b" }, { a: "d", c: "b" }, { a: "b" }];
  expect(countDistinct(sets as Record<string, string>[])).toBe(3);
});

test("takes an empty value for no label", () => {
  const sets: Record<string, string>[] = [{ a: "b", c: "" }, { a: "b" }, {}, { x: "" }];
  expect(countDistinct(sets)).toBe(2);
});

test("does not mix up names and values", () => {
  const sets: Record<string, string>[] = [{ a: "b,c" }, { "a,b": "c" }, { a: "b", b: "a" }];
  expect(countDistinct(sets)).toBe(3);
});
