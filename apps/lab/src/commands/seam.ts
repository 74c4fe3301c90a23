import { Command } from "@commander-js/extra-typings";
import { environmentLines, environmentOf } from "../report/environment.ts";
import * as format from "../report/format.ts";
import { checkWritable, writeJson } from "../report/json.ts";
import { withProgress } from "../report/progress.ts";
import { table } from "../report/table.ts";
import { compareWays, runSeamCells, type SeamComparison } from "../seam/run-seam-cells.ts";
import { SEAM_LOGS, SEAM_PATHS, SEAM_WAYS, type SeamSpec } from "../seam/spec.ts";
import { EXIT } from "./failure.ts";
import { interruptible } from "./interrupt.ts";
import { printNotes } from "./measure.ts";
import { checkStoreDir, positive, whole } from "./parse.ts";

/** Appends of `batched` for one of `sync`, which waits for the device each time. */
const APPENDS_PER_SYNC = 40;

/** `seam`: what the file seam costs the log, beside calls of `fs` where they stand. */
export function seamCommand() {
  const command = new Command("seam")
    .description("measure what the file seam costs the log, beside inlined calls of fs")
    .option("--appends <n>", "appends a round; a log that syncs does a fortieth", positive, 20_000)
    .option("--record-bytes <n>", "bytes of the one record of an append", positive, 128)
    .option("--repeats <n>", "child processes a cell", positive, 9)
    .option("--rounds <n>", "rounds in each process", positive, 7)
    .option("--warmup <n>", "rounds before them that do not count", whole, 3)
    .option("--seed <n>", "seed of the order", whole, 1)
    .option("--dir <path>", "directory for the logs: decides the file system")
    .option("--deadline <seconds>", "time that one child may take", positive, 300)
    .option("--json <file>", "write everything that was measured")
    .addHelpText("after", EXAMPLES);
  return command.action(async (options) => {
    const { appends, dir, json, seed, repeats, deadline } = options;
    checkStoreDir(dir);
    if (json !== undefined) checkWritable(json);
    const specs = SEAM_LOGS.flatMap((log) =>
      SEAM_PATHS.flatMap((path) =>
        SEAM_WAYS.map((way): SeamSpec => ({
          id: `${log} ${path}, ${way}`,
          log,
          path,
          way,
          appends: log === "sync" ? Math.ceil(appends / APPENDS_PER_SYNC) : appends,
          recordBytes: options.recordBytes,
          rounds: options.rounds,
          warmupRounds: options.warmup,
        })),
      ),
    );
    const environment = environmentOf({ dir, seed });
    const { value: cells, exitCode } = await interruptible((signal) =>
      withProgress("seam", (onEvent) =>
        runSeamCells(specs, { repeats, dir, seed, deadlineMs: deadline * 1000, signal, onEvent }),
      ),
    );
    const interrupted = exitCode !== EXIT.ok;
    const comparisons = compareWays(cells);
    if (json !== undefined) {
      const report = { command: process.argv.slice(2).join(" "), interrupted, environment };
      writeJson(json, { ...report, comparisons, cells });
    }
    console.log(seamTable(comparisons));
    const bad = cells.filter(({ status }) => status !== "ok");
    printNotes(
      [LEGEND],
      bad.map(({ spec, status, reasons }) => `${spec.id}: ${status}: ${reasons.join("; ")}`),
      interrupted ? ["Interrupted: what was measured until then."] : [],
      environmentLines(environment),
      json === undefined ? [] : [`Everything that was measured is in ${json}.`],
    );
    process.exitCode =
      exitCode === EXIT.ok && bad.some(({ status }) => status === "failed")
        ? EXIT.failed
        : exitCode;
  });
}

function seamTable(comparisons: readonly SeamComparison[]): string {
  const rows = comparisons.map(({ log, path, nanoseconds, seam, noise }) => [
    `${log} ${path}`,
    format.micros(nanoseconds.inlined / 1000),
    format.micros(nanoseconds.disk / 1000),
    `${seam.ratio.toFixed(3)} [${seam.interval.low.toFixed(2)}, ${seam.interval.high.toFixed(2)}]`,
    seam.word,
    noise.ratio.toFixed(3),
  ]);
  return table(
    [
      { head: "log", wraps: true },
      { head: "inlined", align: "right" },
      { head: "disk", align: "right" },
      { head: "rate [95 %]" },
      { head: "verdict" },
      { head: "again" },
    ],
    rows,
  );
}

const LEGEND =
  "appends: the log's own, over the disk and over one whose write and sync are the functions of fs. calls: nothing but the " +
  "writes and syncs that those appends make, through the disk and as calls of fs in a loop. Rates of the disk beside the inlined " +
  "ones, of the time of one append; below 1 the seam costs. again: the disk beside itself, what the machine makes of nothing. " +
  "All left the same bytes.";

const EXAMPLES = `
Examples:
  $ varve-lab seam
  $ varve-lab seam --dir /mnt/ssd --json seam.json
  $ varve-lab seam --record-bytes 4096 --repeats 15`;
