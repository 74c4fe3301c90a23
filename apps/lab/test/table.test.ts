import { expect, test } from "vitest";
import { table, wrap } from "../src/report/table.ts";

test("keeps columns apart and numbers to the right", () => {
  const text = table(
    [{ head: "name" }, { head: "rate", align: "right" }, { head: "level" }],
    [
      ["map", "9 K/s", "memory"],
      ["open-addressed", "412 K/s", "durable"],
    ],
  );
  expect(text.split("\n")).toEqual([
    "name               rate  level",
    "map               9 K/s  memory",
    "open-addressed  412 K/s  durable",
  ]);
});

test("folds what may wrap so that a line has at most 80 characters", () => {
  const text = table(
    [
      { head: "variant", wraps: true },
      { head: "what it does", wraps: true },
    ],
    [[`batched:${"x".repeat(40)}`, "many words ".repeat(12)]],
  );
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(text.replaceAll(/\s/g, "")).toContain("manywords");
  expect(text.match(/x/g)).toHaveLength(40);
});

test("wraps text at spaces and keeps the indent of its first line", () => {
  const lines = wrap(`  ${"word ".repeat(30).trim()}`, "    ").split("\n");
  expect(lines[0]).toMatch(/^ {2}word/);
  expect(lines[1]).toMatch(/^ {4}word/);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
});
