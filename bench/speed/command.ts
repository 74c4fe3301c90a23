import { Command, Option } from "@commander-js/extra-typings";
import { StorageError } from "@varve/contracts";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { environmentLines, environmentOf } from "../environment.ts";
import { EXIT, interruptible } from "../peers/command-line.ts";
import { wrapped } from "../peers/ingest/report.ts";
import {
  checkDir,
  checkWritable,
  decimal,
  list,
  positive,
  repeatCount,
  whole,
} from "../peers/parse.ts";
import { rowsOf } from "./rows.ts";
import { runWorks } from "./run.ts";
import { FULL, type Sizes, TINY } from "./sizes.ts";
import { missedOf, reportOf } from "./table.ts";
import { WORK_NAMES, type WorkName } from "./work.ts";

/** Fewest counts of series that growth can be seen at. */
const GROWTH_MIN = 2;

/** The whole command: what is measured here needs no peer. */
export function speedCommand() {
  const command = new Command("pnpm bench:speed")
    .description(
      "Measures writing, tails, memory, replay and single stages, and holds them against targets.",
    )
    .usage("[options]")
    .addOption(new Option("--only <works>", `some of ${WORK_NAMES.join(", ")}`).argParser(list))
    .option("--repeats <n>", "turns of each task, at least 5", repeatCount, 5)
    .option("--minutes <n>", `length of sustained (default: ${FULL.minutes})`, decimal)
    .option(
      "--rate <n>",
      `rows a second of sustained; 0 for as many as go (default: ${FULL.sustainedRate})`,
      whole,
    )
    .option(
      "--replay-samples <n>",
      `samples of the log that is replayed (default: ${FULL.replaySamples})`,
      positive,
    )
    .option("--growth-max <n>", `most series of growth (default: ${FULL.growth.at(-1)})`, positive)
    .option("--seed <n>", "seed of the data", whole, 1)
    .option("--dir <path>", "directory for the stores: decides the file system", tmpdir())
    .option("--json <file>", "write everything that was measured")
    .option("--tiny", "only to see that it runs: the figures mean nothing")
    .addHelpText("after", EXAMPLES);
  return command.action(async (options) => {
    const { repeats, seed, dir, json } = options;
    checkDir(dir);
    if (json !== undefined) checkWritable(json);
    const works = chosen(options.only ?? []);
    const sizes = sizesOf(options);
    const environment = { ...environmentOf(seed), dir };
    const begin = performance.now();
    const { value: outcomes, exitCode } = await interruptible((signal) =>
      runWorks({
        works,
        sizes,
        repeats,
        dir,
        signal,
        onTurn: (text, at, total) => {
          const seconds = ((performance.now() - begin) / 1000).toFixed(0);
          const place = `[${String(at).padStart(String(total).length)}/${total}]`;
          process.stderr.write(`${place} ${text} (after ${seconds} s)\n`);
        },
        onSkip: (text) => process.stderr.write(`${text}\n`),
      }),
    );
    const interrupted = exitCode !== EXIT.ok;
    const rows = rowsOf(outcomes, sizes);
    if (json !== undefined) {
      const told = { command: process.argv.slice(2).join(" "), interrupted, repeats, sizes };
      const turns = outcomes.map(({ work, task, turns: figures }) => ({
        work,
        task: task.id,
        figures,
      }));
      const report = { ...told, environment, rows, turns };
      writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
    }
    console.log(reportOf(rows));
    for (const line of environmentLines(environment)) console.log(line);
    const missed = missedOf(rows).map(({ work, what }) => `${work}: ${what.trim()}`);
    if (missed.length > 0) console.log(wrapped(`MISSED or failed: ${missed.join("; ")}.`, 96));
    if (interrupted) console.log("Interrupted: what was measured until then.");
    const isFailed = rows.some(({ status }) => status === "failed");
    process.exitCode = interrupted ? exitCode : isFailed ? EXIT.failed : EXIT.ok;
  });
}

function sizesOf(options: {
  readonly seed: number;
  readonly tiny?: true;
  readonly minutes?: number;
  readonly rate?: number;
  readonly replaySamples?: number;
  readonly growthMax?: number;
}): Sizes {
  const sizes = options.tiny === true ? TINY : FULL;
  const { seed, minutes, rate, replaySamples, growthMax = Number.POSITIVE_INFINITY } = options;
  const growth = sizes.growth.filter((series) => series <= growthMax);
  if (growth.length < GROWTH_MIN) {
    const least = sizes.growth[GROWTH_MIN - 1]!;
    throw new StorageError("INPUT", `--growth-max is at least ${least}, so that there is growth`);
  }
  const replaySeries = Math.min(sizes.replaySeries, replaySamples ?? sizes.replaySamples);
  return {
    ...sizes,
    seed,
    growth,
    replaySeries,
    minutes: minutes ?? sizes.minutes,
    sustainedRate: rate ?? sizes.sustainedRate,
    replaySamples: replaySamples ?? sizes.replaySamples,
  };
}

/** Works by name; where none is named, all. Throws INPUT for a name that is none. */
function chosen(names: readonly string[]): WorkName[] {
  const unknown = names.find((name) => !(WORK_NAMES as readonly string[]).includes(name));
  if (unknown !== undefined) {
    const message = `there is no work "${unknown}": take some of ${WORK_NAMES.join(", ")}`;
    throw new StorageError("INPUT", message);
  }
  return WORK_NAMES.filter((name) => names.length === 0 || names.includes(name));
}

const EXAMPLES = `
Examples:
  $ pnpm bench:speed --json bench/results/speed.json
  $ pnpm bench:speed --only updates,new-to-update
  $ pnpm bench:speed --only sustained --minutes 1 --rate 0
  $ pnpm bench:speed --only replay --replay-samples 3_000_000
  $ pnpm bench:speed --only growth --growth-max 1_000_000`;
