import { writeFileSync } from "node:fs";
import { generatedFiles } from "./files.ts";

for (const { path, text } of generatedFiles()) {
  writeFileSync(path, text);
  console.log(`${path} is written from bench/results`);
}
