import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readReport } from "../src/commands/seed.ts";
import { findingsText } from "../src/seed/findings.ts";
import { investigate } from "../src/seed/investigate.ts";
import { withMeasured } from "../src/seed/readme.ts";
import { terminalText } from "../src/seed/print.ts";
import { environmentOf } from "../src/report/environment.ts";
import { OPTIONS } from "./seed-fixture.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const PAGE = join(ROOT, "docs", "findings.md");
const REPORT = join(ROOT, "bench", "results", "seed.json");

describe("docs/findings.md", () => {
  test.skipIf(!existsSync(PAGE))("is what its report gives, and not edited", () => {
    expect(readFileSync(PAGE, "utf8")).toBe(findingsText(readReport(REPORT), REPORT));
  });

  test.skipIf(!existsSync(REPORT))("and the README's figures are of the same report", () => {
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    expect(withMeasured(readme, readReport(REPORT), "bench/results/seed.json")).toBe(readme);
  });

  test.skipIf(!existsSync(REPORT))("has a report with every key of the investigation", () => {
    const report = readReport(REPORT);
    const keys = ["baseline", "best", "phases", "suspects", "waterfall", "sustained", "criteria"];
    expect(Object.keys(report)).toEqual(expect.arrayContaining(keys));
    expect(report.incomplete).toEqual([]);
    for (const figure of [report.baseline, report.best]) {
      expect(figure!.newPerSecond).toBeGreaterThan(0);
      expect(figure!.updatePerSecond).toBeGreaterThan(0);
      expect(figure!.updateSpreadPerSecond).toBeGreaterThan(0);
    }
  });
});

describe("an interrupted investigation", () => {
  test("reports what was measured, and names what was not", async () => {
    const environment = environmentOf({ seed: 1 });
    const options = { ...OPTIONS, signal: AbortSignal.abort() };
    const report = await investigate(options, environment, (_, work) => work(() => undefined));
    expect(report.incomplete).toHaveLength(6);
    expect(report.criteria).toBeUndefined();
    expect(terminalText(report)).toContain("missing: reproduce the discrepancy: not begun");
    expect(findingsText(report, "x.json")).toContain("answers nothing");
  });
});
