import { makeRandom } from "@varve/bytes";
import { CommanderError } from "@commander-js/extra-typings";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environmentOf, isSameProduct } from "../environment.ts";
import { EXIT, oneLine, tellFailure } from "../peers/command-line.ts";
import { type Options, tortureCommand } from "./options.ts";
import { rowLines } from "./report.ts";
import { isClean, readResults, type TortureResults, withRow, writeResults } from "./results.ts";
import { Broken } from "./row.ts";
import { ROWS } from "./rows.ts";
import { runRow } from "./run-row.ts";

const EXIT_INTERRUPTED = 130;
const PROGRESS_MS = 2000;

try {
  const command = tortureCommand(main).exitOverride();
  command.configureOutput({
    outputError: (text, write) => write(`torture: ${oneLine(text).replace(/^error: /, "")}\n`),
  });
  await command.parseAsync(process.argv.slice(2), { from: "user" });
} catch (error) {
  const isTold = error instanceof CommanderError;
  process.exitCode = isTold
    ? error.exitCode === 0
      ? EXIT.ok
      : EXIT.usage
    : tellFailure(error, "torture");
}

async function main(options: Options): Promise<void> {
  const { tier, only, seed, shares, json, again, trial } = options;
  if (trial !== undefined) return runTrial(options, trial);
  const stop = new AbortController();
  process.on("SIGINT", () => {
    if (stop.signal.aborted) process.exit(EXIT_INTERRUPTED);
    process.exitCode = EXIT_INTERRUPTED;
    stop.abort();
  });
  const { commit } = environmentOf(seed);
  let results = startingResults(options);
  const ids = ROWS.map(({ id }) => id);
  const isDone = (id: string): boolean =>
    json !== undefined && !again && results.rows.some((row) => row.id === id);
  const rows = ROWS.filter(({ id }) => only.includes(id) && !isDone(id));
  // Short rows are soon over, and share nothing but the machine: several at once cost fewer processes.
  const lanes = tier === "pr" ? shares : 1;
  const sharesOfRow = tier === "pr" ? 1 : shares;
  const lane = async (): Promise<void> => {
    for (let row = rows.shift(); row !== undefined; row = rows.shift()) {
      const onProgress = progressOf(row.id);
      const { signal } = stop;
      const outcome = await runRow(row, { tier, seed, shares: sharesOfRow, signal, onProgress });
      if (signal.aborted) return;
      const isOther = commit !== null && commit !== results.commit;
      const result = isOther ? { ...outcome, commit } : outcome;
      console.log(rowLines(result));
      // Another run of the same product may have written to the file meanwhile.
      results = withRow(withFound(results, json), result, ids);
      if (json !== undefined) writeResults(json, results);
      if (!isClean(result)) process.exitCode = EXIT.failed;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** What the file holds of this tier and product; nothing of others. */
function startingResults({ tier, json, seed }: Options): TortureResults {
  const { commit, node, os } = environmentOf(seed);
  const results = withFound({ tier, commit, node, os, rows: [] }, json);
  if (json !== undefined && results.rows.length === 0 && existsSync(json)) {
    process.stderr.write(
      `torture: ${json} is of another tier, or of a commit with other packages, and begins anew\n`,
    );
  }
  return results;
}

/** The results with the rows that the file has, and its commit, if it is of the same tier and product. */
function withFound(results: TortureResults, json: string | undefined): TortureResults {
  const found = json === undefined ? null : readResults(json);
  if (found?.tier !== results.tier || !isSameProduct(found.commit, results.commit)) return results;
  return { ...results, commit: found.commit, rows: found.rows };
}

/** Says how far a row is, when it takes longer. */
function progressOf(id: string): (done: number, total: number) => void {
  let toldMs = performance.now();
  return (done, total) => {
    if (performance.now() - toldMs < PROGRESS_MS) return;
    toldMs = performance.now();
    process.stderr.write(
      `  ${id}: ${done.toLocaleString("en")} of ${total.toLocaleString("en")}\n`,
    );
  };
}

async function runTrial({ only, tier }: Options, seed: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "varve-torture-"));
  try {
    for (const row of ROWS.filter(({ id }) => only.includes(id))) {
      try {
        const count = await row.trial({ tier, seed, random: makeRandom(seed), dir });
        console.log(`✓ ${row.id}  ${count} ${row.unit}`);
      } catch (error) {
        if (!(error instanceof Broken)) throw error; // With its stack, for whoever looks for it.
        console.log(`✗ ${row.id}  ${error.fault}: ${error.message}`);
        process.exitCode = EXIT.failed;
      }
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
