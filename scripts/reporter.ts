import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { SerializedError } from "vitest";
import type { Reporter, TestModule } from "vitest/node";
import { ROOT } from "./process.ts";

/** What a run of vitest came to, as `scripts/check.ts` reads it. */
export interface Summary {
  readonly passed: number;
  /** One text for each failed test, file or stray error. */
  readonly failures: readonly string[];
  /** One line for each skipped test, with the reason that `context.skip(reason)` was given. */
  readonly skips: readonly string[];
}

/** Writes a summary to the file that VARVE_TEST_SUMMARY names: vitest's own JSON omits the reasons. */
class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const file = process.env["VARVE_TEST_SUMMARY"];
    if (file !== undefined) writeFileSync(file, JSON.stringify(summarize(modules, errors)));
  }
}

function summarize(modules: readonly TestModule[], errors: readonly SerializedError[]): Summary {
  let passed = 0;
  const failures: string[] = errors.map((error) => `stray error\n${describe(error)}`);
  const skips: string[] = [];
  for (const module of modules) {
    const path = relative(ROOT, module.moduleId);
    const before = failures.length;
    for (const test of module.children.allTests()) {
      const title = `${path} > ${test.fullName}`;
      const result = test.result();
      if (result.state === "passed") passed++;
      else if (result.state === "skipped")
        skips.push(`${title}: ${result.note ?? "no reason given"}`);
      else if (result.state === "pending") failures.push(`${title}\ndid not finish`);
      else failures.push(`${title}\n${result.errors.map(describe).join("\n")}`);
    }
    const broken = module.state() === "failed" && failures.length === before;
    if (broken || module.errors().length > 0) {
      failures.push(`${path}\n${module.errors().map(describe).join("\n")}`);
    }
  }
  return { passed, failures, skips };
}

/** The error with the lines of its stack that are ours, and the difference if there is one. */
function describe(error: SerializedError): string {
  const stack = (error.stack ?? error.message).split("\n");
  const ours = stack.filter((line) => !/^\s+at .*(node_modules|node:internal)/.test(line));
  const diff = typeof error["diff"] === "string" ? `\n${error["diff"]}` : "";
  return ours.join("\n") + diff;
}

export default SummaryReporter;
