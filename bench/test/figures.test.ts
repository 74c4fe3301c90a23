import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { generatedFiles } from "../figures/files.ts";

for (const { path, text } of generatedFiles()) {
  test(`${basename(path)} is what the committed result files say`, () => {
    expect(readFileSync(path, "utf8")).toBe(text);
  });
}
