import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { environmentOf } from "../environment.ts";
import { type Options, optionsOf, USAGE, UsageError } from "./options.ts";
import { runWorks } from "./run.ts";
import { FULL, TINY } from "./spec.ts";
import { tableOf } from "./table.ts";

const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

try {
  const options = optionsOf(process.argv.slice(2));
  if (options.isHelp) console.log(USAGE);
  else await main(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`bench:blocks: ${error.message.split("\n")[0]}\n`);
  process.exitCode = EXIT_USAGE;
}

async function main(options: Options): Promise<void> {
  const { works, seed, dir, json, profileDir } = options;
  const sizes = options.isTiny ? TINY : FULL;
  const environment = environmentOf(seed);
  const stop = new AbortController();
  process.on("SIGINT", () => {
    if (stop.signal.aborted) process.exit(EXIT_INTERRUPTED);
    process.exitCode = EXIT_INTERRUPTED;
    stop.abort();
  });
  const profile = ["--cpu-prof", `--cpu-prof-dir=${resolve(profileDir ?? ".")}`];
  const results = await runWorks({
    works,
    sizes,
    seed,
    dir,
    execArgv: profileDir === undefined ? [] : profile,
    signal: stop.signal,
    onProgress: (text) => process.stderr.write(`${text}\n`),
  });
  const interrupted = stop.signal.aborted;
  if (json !== undefined) {
    const report = { interrupted, environment, sizes, results };
    writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  }
  console.log(tableOf(results, environment));
}
