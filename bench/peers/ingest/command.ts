import { Command, Option } from "@commander-js/extra-typings";
import { StorageError } from "@varve/contracts";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { environmentLines, environmentOf } from "../../environment.ts";
import { EXIT, interruptible, showProgress } from "../command-line.ts";
import { checkDir, checkWritable, list, positive, repeatCount, whole } from "../parse.ts";
import { rowsOf } from "./ingest-rows.ts";
import { makePairs, type Pair } from "./pairs.ts";
import { refLabels } from "./plan.ts";
import { notesOf, rowsTable, wrapped } from "./report.ts";
import { runIngest } from "./run.ts";
import { INGEST_RIVALS, isRefIngest, NOBODY, NOISE, type Sizes, WORK_NAMES } from "./works.ts";

/** Columns of what is printed. */
const COLUMNS = 96;

/** `ingest`: how fast varve and other stores write the same rows. */
export function ingestCommand() {
  const known = [...WORK_NAMES, ...INGEST_RIVALS].join(", ");
  const command = new Command("ingest")
    .description("write the same rows to varve and to its peers, in turns")
    .addOption(
      new Option("--only <names>", `only these works (or "updates") and peers: ${known}`).argParser(
        list,
      ),
    )
    .option("--series <file>", "label sets of ref-ingest: JSON lines, or Prometheus text")
    .option("--scrapes <n>", "samples of each series of ref-ingest: whole hundreds", positive, 500)
    .option("--new <n>", "series of new-series and updates-many", positive, 1_000_000)
    .option("--updates <n>", "rows of each work that updates, in whole rounds", positive)
    .option("--repeats <n>", "turns of each side at each work, at least 5", repeatCount, 5)
    .option("--seed <n>", "seed of the data", whole, 1)
    .option("--dir <path>", "directory for the stores: decides the file system", tmpdir())
    .option("--json <file>", "write everything that was measured")
    .addHelpText("after", EXAMPLES);
  return command.action(async (options) => {
    const { repeats, seed, dir, json } = options;
    checkDir(dir);
    if (json !== undefined) checkWritable(json);
    const pairs = chosen(options.only ?? []);
    const sizes = sizesOf(options);
    if (pairs.some(({ work }) => isRefIngest(work))) await refLabels(sizes); // Refuses what is no data.
    const environment = { ...environmentOf(seed), dir };
    const { exitCode } = await interruptible((signal) =>
      runIngest({ pairs, sizes, repeats, dir }, signal, showProgress()),
    );
    const rows = rowsOf(pairs, repeats);
    const interrupted = exitCode !== EXIT.ok;
    const notes = notesOf(rows, pairs);
    if (json !== undefined) {
      const about = { command: process.argv.slice(2).join(" "), interrupted, repeats, sizes };
      const report = { ...about, rows, notes, environment };
      writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
    }
    console.log(`${rowsTable(rows)}\n\n${LEGEND}\n`);
    for (const line of notes) console.log(wrapped(line, COLUMNS));
    for (const line of environmentLines(environment)) console.log(line);
    if (interrupted) console.log("Interrupted: what was measured until then.");
    const isFailed = rows.some(({ status }) => status === "failed");
    process.exitCode = interrupted ? exitCode : isFailed ? EXIT.failed : EXIT.ok;
  });
}

function sizesOf(options: {
  readonly seed: number;
  readonly scrapes: number;
  readonly new: number;
  readonly updates?: number;
  readonly series?: string;
}): Sizes {
  const { seed, scrapes, new: newSeries, updates = null, series } = options;
  const file = series === undefined ? {} : { seriesFile: resolve(series) };
  return { seed, scrapes, newSeries, updates, ...file };
}

/**
 * Works and peers by name; where none is named, all. The noise of a work goes with every peer. Throws INPUT for a name that is
 * neither, and for peers that have no part in the works named.
 */
function chosen(names: readonly string[]): Pair[] {
  const groups: Readonly<Record<string, readonly string[]>> = {
    updates: WORK_NAMES.filter((work) => work.startsWith("updates-")),
  };
  const wanted = new Set(names.flatMap((name) => groups[name] ?? [name]));
  const known: readonly string[] = [...WORK_NAMES, ...INGEST_RIVALS];
  const unknown = [...wanted].find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const message = `there is no work or peer "${unknown}": take some of ${known.join(", ")}`;
    throw new StorageError("INPUT", message);
  }
  const named = WORK_NAMES.filter((work) => wanted.has(work));
  const works = named.length > 0 ? named : WORK_NAMES;
  const peers = INGEST_RIVALS.filter((rival) => wanted.has(rival));
  const isAsked = (rival: string): boolean =>
    peers.length === 0 || (peers as readonly string[]).includes(rival);
  const withPeers = works.filter((work) =>
    makePairs([work], isAsked).some(({ rival }) => rival !== NOISE),
  );
  if (withPeers.length === 0) {
    throw new StorageError("INPUT", `${peers.join(", ")} takes no part in ${works.join(", ")}`);
  }
  return makePairs(withPeers, (rival) => isAsked(rival) || rival === NOISE || rival === NOBODY);
}

const LEGEND = `Median rate, rows a second. A difference counts when it exceeds the spread of the turns and the
95 % interval of the ratio excludes 1; "${NOISE}" is varve against itself: what a difference
of nothing looks like here. Every store was read after its clock stopped, and held every series
and sample. No transaction waits for a sync unless a star says so.`;

const EXAMPLES = `
Examples:
  $ pnpm run peers
  $ pnpm run peers --only ref-ingest --series 20kseries.json
  $ pnpm run peers --only new-series,lmdb --new 100_000 --json peers.json
  $ pnpm run peers --only updates`;
