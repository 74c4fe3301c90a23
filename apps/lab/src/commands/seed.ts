import { Argument, Command } from "@commander-js/extra-typings";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { CellEvent } from "../cell/run-cells.ts";
import { environmentOf } from "../report/environment.ts";
import { checkWritable, writeJson } from "../report/json.ts";
import { withProgress } from "../report/progress.ts";
import type { SeedOptions } from "../seed/cells.ts";
import { findingsText } from "../seed/findings.ts";
import { investigate, isComplete, type ShowStage } from "../seed/investigate.ts";
import { terminalText } from "../seed/print.ts";
import { withMeasured } from "../seed/readme.ts";
import type { PartialSeedReport } from "../seed/report.ts";
import { EXIT, usageError } from "./failure.ts";
import { interruptible } from "./interrupt.ts";
import { checkStoreDir, positive, whole } from "./parse.ts";

/** Rows of a round: what the question was measured with. */
const ROWS = 10_000;
/** Rounds of a process, and processes a cell: nine rounds in all. */
const ROUNDS = 3;
const REPEATS = 3;
/** The whole takes less than three minutes, unless the number of processes is given. */
const BUDGET_MS = 160_000;
/** A quick run shows that everything works; its figures are rough. */
const QUICK = { rowsPerRound: 2000, rounds: 1, repeats: 3 };
/** Least time between two lines of progress where there is no terminal, in milliseconds. */
const LINE_EVERY_MS = 5000;

/** `seed`: re-runs the investigation that started it all. */
export function seedCommand() {
  return new Command("seed")
    .description("re-run the whole investigation: why are new series slow, and what cures it")
    .option("--quick", "a small run that shows that everything works", false)
    .option("--rounds <n>", `rounds in each of ${REPEATS} processes a cell`, positive)
    .option(
      "--repeats <n>",
      `processes a cell (default: ${REPEATS}, later as many as fit three minutes)`,
      positive,
    )
    .option("--series <file>", "label sets from a file: JSON lines, or Prometheus text")
    .option("--seed <n>", "seed of the data and of the order", whole, 1)
    .option("--dir <path>", "directory for the stores: decides the file system")
    .option(
      "--json <file>",
      "where the report goes (default: bench/results/, or ./varve-seed.json)",
    )
    .addHelpText("after", EXAMPLES)
    .action(async (given) => {
      checkStoreDir(given.dir);
      const environment = environmentOf(given);
      const file = given.json ?? defaultFile(environment.date);
      checkWritable(file);
      const sizes = given.quick ? QUICK : { rowsPerRound: ROWS, rounds: ROUNDS, repeats: REPEATS };
      const { value: report, exitCode } = await interruptible((signal) => {
        const options: SeedOptions = {
          ...sizes,
          rounds: given.rounds ?? sizes.rounds,
          repeats: given.repeats ?? sizes.repeats,
          budgetMs: given.repeats === undefined ? BUDGET_MS : undefined,
          quick: given.quick,
          seed: given.seed,
          dir: given.dir,
          seriesFile: given.series === undefined ? undefined : resolve(given.series),
          signal,
        };
        return investigate(options, environment, showStage);
      });
      writeJson(file, report);
      console.log(terminalText(report));
      console.log(`Took ${Math.round(report.durationSeconds)} s. The report is in ${file}.`);
      process.exitCode = exitCode !== EXIT.ok || isComplete(report) ? exitCode : EXIT.failed;
    });
}

/** `findings`: the page that is made of a report. */
export function findingsCommand() {
  return new Command("findings")
    .description("write docs/findings.md from a report of `seed`")
    .addArgument(new Argument("<json>", "the report"))
    .option("--out <file>", "where the page goes (default: the terminal)")
    .option("--readme <file>", "also put the figures between this file's `measured` markers")
    .action((json, { out, readme }) => {
      const report = readReport(json);
      if (readme !== undefined) {
        writeFileSync(readme, withMeasured(readFileSync(readme, "utf8"), report, json));
      }
      const text = findingsText(report, json);
      if (out === undefined) process.stdout.write(text);
      else writeFileSync(out, text);
    });
}

/** Reads a report. Throws INPUT when there is none, or when it is not one of `seed`. */
export function readReport(file: string): PartialSeedReport {
  let report: unknown;
  try {
    report = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw usageError(`cannot read ${file}: ${(cause as Error).message}`, cause);
  }
  const isReport =
    typeof report === "object" && report !== null && "settings" in report && "incomplete" in report;
  if (!isReport) throw usageError(`${file} is no report of \`seed\``);
  return report as PartialSeedReport;
}

/** Inside the repository reports are kept beside the benchmarks; elsewhere there is one, in the current directory. */
function defaultFile(date: string): string {
  const results = join("bench", "results");
  if (!existsSync(dirname(results)) || !existsSync("pnpm-workspace.yaml")) return "varve-seed.json";
  mkdirSync(results, { recursive: true });
  return join(results, `seed-${date.slice(0, 19).replaceAll(":", "")}.json`);
}

/** Where nobody watches a terminal, a line now and then is enough. */
const showStage: ShowStage = (title, work) => {
  if (process.stderr.isTTY) return withProgress(title, work);
  process.stderr.write(`${title}\n`);
  return withProgress(title, (onEvent) => work(seldom(onEvent)));
};

function seldom(onEvent: (event: CellEvent) => void): (event: CellEvent) => void {
  let last = performance.now();
  return (event) => {
    const isDue = performance.now() - last >= LINE_EVERY_MS;
    const hasFailed = event.result !== undefined && event.result.status !== "ok";
    if (event.kind === "end" && !isDue && !hasFailed) return;
    if (event.kind === "end") last = performance.now();
    onEvent(event);
  };
}

const EXAMPLES = `
Examples:
  $ varve-lab seed
  $ varve-lab seed --quick --json quick.json
  $ varve-lab seed --series 20kseries.json --dir /mnt/ssd`;
