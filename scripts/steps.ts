import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkExamplesUnderNode } from "./node-versions.ts";
import { checkPackages } from "./packages.ts";
import { run } from "./process.ts";
import type { Summary } from "./reporter.ts";
import { checkThirdParty } from "./third-party.ts";

export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  /** Titles of tests that did not run, with the reason if the test gave one. */
  readonly skips: readonly string[];
  readonly output: string;
}

export interface Step {
  readonly id: string;
  readonly title: string;
  /** Whether it is quick enough for every commit. */
  readonly fast: boolean;
  run(): Promise<Outcome>;
}

/** Every check, in order: what is cheap and likely to fail comes first. */
export const STEPS: readonly Step[] = [
  command("tidy", "tidy: imports, package shape, the five names", true, "node", "scripts/tidy.ts"),
  command("lint", "lint", true, "oxlint"),
  command("format", "format", true, "oxfmt", "--check", "."),
  command("types", "types", true, "tsc", "-p", "tsconfig.json", "--noEmit"),
  command("boundaries", "boundaries", true, "turbo", "boundaries"),
  {
    id: "unit",
    title: "unit and conformance tests",
    fast: true,
    run: () => tests("--exclude=**/*.slow.test.ts"),
  },
  command("build", "build", false, "turbo", "run", "build"),
  { id: "slow", title: "tests of size", fast: false, run: () => tests(".slow.test.ts") },
  command("bench", "bench smoke", false, "node", "bench/run.ts", "--smoke"),
  command("torture", "torture, the smaller tier", false, "node", "bench/torture/main.ts", "pr"),
  command("knip", "unused code and dependencies", false, "knip"),
  {
    id: "packages",
    title: "packages alone, from tarballs",
    fast: false,
    run: lines(checkPackages),
  },
  {
    id: "node-versions",
    title: "built packages and examples under Node 22 and 24",
    fast: false,
    run: lines(checkExamplesUnderNode),
  },
  {
    id: "third-party",
    title: "a third party's index, built outside",
    fast: false,
    run: lines(checkThirdParty),
  },
];

/** A step that is one command: it passes with exit code 0. */
function command(id: string, title: string, fast: boolean, ...words: [string, ...string[]]): Step {
  const [program, ...args] = words;
  return {
    id,
    title,
    fast,
    run: async () => {
      const { code, output } = await run(program, args);
      return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skips: [], output };
    },
  };
}

/** A step that returns its problems, none if all is well. */
function lines(check: () => Promise<readonly string[]>): () => Promise<Outcome> {
  return async () => {
    const problems = await check();
    const failed = problems.length > 0 ? 1 : 0;
    return { passed: 1 - failed, failed, skips: [], output: problems.join("\n") };
  };
}

/** Runs the tests that a vitest argument chooses. */
async function tests(choice: string): Promise<Outcome> {
  const dir = await mkdtemp(join(tmpdir(), "varve-unit-"));
  try {
    const file = join(dir, "summary.json");
    const { code, output } = await run(
      "vitest",
      ["run", choice, "--reporter=./scripts/reporter.ts", "--reporter=dot", "--silent=passed-only"],
      { env: { VARVE_TEST_SUMMARY: file, NO_COLOR: "1" } },
    );
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) return { passed: 0, failed: 1, skips: [], output };
    const summary = JSON.parse(text) as Summary;
    // An exit code without a failed test is still a failure, such as a crashed worker.
    const failed = Math.max(summary.failures.length, code === 0 ? 0 : 1);
    const details = summary.failures.length > 0 ? summary.failures.join("\n\n") : output;
    return { passed: summary.passed, failed, skips: summary.skips, output: details };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
