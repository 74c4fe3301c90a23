import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { generatedFiles, PERFORMANCE_PATH } from "../figures/files.ts";

const files = generatedFiles();

for (const { path, text } of files) {
  test(`${basename(path)} is what the committed result files say`, () => {
    expect(readFileSync(path, "utf8")).toBe(text);
  });
}

const hasSpeed = files.some(({ path }) => path === PERFORMANCE_PATH);
test.skipIf(hasSpeed)("performance.md waits for its result files", () => {
  expect(() => readFileSync(PERFORMANCE_PATH)).toThrow("ENOENT");
});
