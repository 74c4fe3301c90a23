import { ROOT } from "./process.ts";
import { checkImports } from "./tidy/imports.ts";
import { checkNames } from "./tidy/names.ts";
import { readRepository } from "./tidy/repository.ts";
import { checkShape } from "./tidy/shape.ts";
import { checkText } from "./tidy/text.ts";

/** The rules of STYLE.md that a program can see. Prints each breach as a line, and exits with 1. */
const repository = readRepository(ROOT);
const text = checkText(repository);
const problems = [
  ...checkImports(repository),
  ...checkShape(repository),
  ...checkNames(repository),
  ...text.problems,
];
for (const warning of text.warnings) console.log(`warning: ${warning}`);
for (const problem of problems) console.log(problem);
console.log(`${repository.packages.length} packages, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
