import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { currentPage, PAGE } from "../figures/files.ts";

test("the page on blocks and queries is what the committed result files say", () => {
  expect(readFileSync(PAGE, "utf8")).toBe(currentPage());
});
