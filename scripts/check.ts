import { parseArgs } from "node:util";
import { type Outcome, type Step, STEPS } from "./steps.ts";

/**
 * Runs every check, goes on after a failure, and ends with the line `N passed, N failed`.
 * `--fast` runs those that are quick enough for every commit, `--only a,b` the named ones.
 */
const { values } = parseArgs({
  options: {
    all: { type: "boolean" },
    fast: { type: "boolean" },
    only: { type: "string" },
  },
});

const steps = choose();
const failures: { step: Step; output: string }[] = [];
const skips: string[] = [];
let passed = 0;
let failed = 0;

for (const step of steps) {
  const outcome = await report(step);
  passed += outcome.passed;
  failed += outcome.failed;
  skips.push(...outcome.skips);
  if (outcome.failed > 0) failures.push({ step, output: outcome.output });
}
for (const { step, output } of failures) {
  console.log(`\n──── ${step.title} (${step.id}) failed ────\n${output.trimEnd()}`);
}
if (skips.length > 0) {
  console.log(`\n──── SKIPPED: these ${skips.length} tests did not run ────`);
  for (const skip of skips) console.log(`  ${skip}`);
}
const skipped = skips.length > 0 ? `, ${skips.length} skipped` : "";
console.log(`\n${passed} passed, ${failed} failed${skipped}`);
process.exitCode = failed > 0 ? 1 : 0;

function choose(): readonly Step[] {
  if (values.only !== undefined) {
    const ids = values.only.split(",");
    const unknown = ids.filter((id) => !STEPS.some((step) => step.id === id));
    if (unknown.length > 0) {
      console.error(`no step ${unknown.join(", ")}: ${STEPS.map((step) => step.id).join(", ")}`);
      process.exit(2);
    }
    return STEPS.filter((step) => ids.includes(step.id));
  }
  return values.all === true ? STEPS : STEPS.filter((step) => step.fast);
}

/** Runs one step under a live line. A step that throws has failed. */
async function report(step: Step): Promise<Outcome> {
  const live = process.stdout.isTTY;
  const start = performance.now();
  const seconds = (): string => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  const draw = (): void => {
    process.stdout.write(`\r\x1b[K  … ${step.title} ${seconds()}`);
  };
  if (live) draw();
  else console.log(`  … ${step.title}`);
  const timer = live ? setInterval(draw, 500) : undefined;
  const outcome = await step.run().catch((error: unknown): Outcome => ({
    passed: 0,
    failed: 1,
    skips: [],
    output: error instanceof Error ? (error.stack ?? error.message) : String(error),
  }));
  clearInterval(timer);
  const mark = outcome.failed > 0 ? "✗" : "✓";
  const counts = outcome.passed + outcome.failed > 1 ? `: ${outcome.passed} passed` : "";
  const bad = counts !== "" && outcome.failed > 0 ? `, ${outcome.failed} failed` : "";
  console.log(`${live ? "\r\x1b[K" : ""}  ${mark} ${step.title}${counts}${bad} (${seconds()})`);
  return outcome;
}
