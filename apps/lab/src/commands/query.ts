import { Command, Option } from "@commander-js/extra-typings";
import { QUERY_KINDS, type QueryKind } from "@varve/workload";
import { resolve } from "node:path";
import { PRESETS } from "../plan-of.ts";
import type { PresetName } from "../plan-spec.ts";
import { makeQueryData } from "../query/data.ts";
import type { QueryCellResult } from "../query/result.ts";
import { runQueryCells } from "../query/run-query-cells.ts";
import { PLACES, type Place, type QueryCellSpec, type QueryDataSpec } from "../query/spec.ts";
import { queryTable, storeTable } from "../query/table.ts";
import { environmentLines, environmentOf, type Environment } from "../report/environment.ts";
import { checkWritable, writeJson } from "../report/json.ts";
import { withProgress } from "../report/progress.ts";
import { axesOf, product } from "./axes.ts";
import { EXIT, usageError } from "./failure.ts";
import { interruptible } from "./interrupt.ts";
import { printNotes } from "./measure.ts";
import { withSlotFlags } from "./options.ts";
import { checkStoreDir, decimal, list, positive, whole } from "./parse.ts";
import { labelOf } from "./race.ts";

/** `query`: how fast samples come back, from memory, from blocks, and from both. */
export function queryCommand() {
  const command = withSlotFlags(new Command("query"))
    .description("put TSBS-shaped queries to stores that hold their samples in memory or in blocks")
    .addOption(
      new Option("--only <kinds>", `only these queries: ${QUERY_KINDS.join(", ")}`).argParser(list),
    )
    .addOption(
      new Option("--store <places>", `where samples lie: ${PLACES.join(", ")}`).argParser(list),
    )
    .option("--scale <hosts>", "hosts, of ten series each", positive, 100)
    .option("--hours <n>", "time that the samples cover, one every 10 s", decimal, 24)
    .option("--series <file>", "label sets from a file: JSON lines, or Prometheus text")
    .option(
      "--queries <n>",
      "most queries of a kind; kinds that read much get fewer",
      positive,
      200,
    )
    .addOption(
      new Option("--plan <name>", "plan whose other slots stay as they are")
        .choices(Object.keys(PRESETS) as PresetName[])
        .default("recommended" as const),
    )
    .option("--repeats <n>", "child processes a store", positive, 3)
    .option("--seed <n>", "seed of data, queries and order", whole, 1)
    .option("--dir <path>", "directory for the stores: decides the file system")
    .option("--deadline <seconds>", "time that one child may take", positive, 600)
    .option("--json <file>", "write everything that was measured")
    .addHelpText("after", EXAMPLES);
  return command.action(async (options) => {
    const { dir, json, seed, repeats, deadline } = options;
    checkStoreDir(dir);
    if (json !== undefined) checkWritable(json);
    const kinds = chosen<QueryKind>("query", QUERY_KINDS, options.only);
    const places = chosen<Place>("place", PLACES, options.store);
    const data = dataOf(options);
    if (data.seriesFile !== undefined) await makeQueryData({ ...data, hours: 0 }); // Refuses what cannot be asked for.
    const specs = product(axesOf(options)).flatMap((variants) =>
      places.map((place): QueryCellSpec => ({
        id: [place, ...variants.map(([, variant]) => labelOf(variant))].join(" "),
        plan: { base: options.plan, ...Object.fromEntries(variants) },
        place,
        data,
        kinds,
        queriesMax: options.queries,
      })),
    );
    const environment = environmentOf({ dir, seed });
    const { value: results, exitCode } = await interruptible((signal) =>
      withProgress(`query, ${specs.length} stores`, (onEvent) =>
        runQueryCells(specs, { repeats, dir, seed, deadlineMs: deadline * 1000, signal, onEvent }),
      ),
    );
    const interrupted = exitCode !== EXIT.ok;
    if (json !== undefined) {
      const report = { command: process.argv.slice(2).join(" "), interrupted, environment };
      writeJson(json, { ...report, cells: results });
    }
    console.log(`${storeTable(results)}\n\n${queryTable(kinds, results)}`);
    printNotes(LEGEND, footer(results, environment, { interrupted, json }));
    const isFailed = results.some(({ status }) => status === "failed");
    process.exitCode = interrupted ? exitCode : isFailed ? EXIT.failed : EXIT.ok;
  });
}

function dataOf(options: {
  readonly scale: number;
  readonly hours: number;
  readonly seed: number;
  readonly series?: string;
}): QueryDataSpec {
  const { scale: hosts, hours, seed, series } = options;
  const file = series === undefined ? {} : { seriesFile: resolve(series) };
  return { seed, hosts, hours, ...file };
}

/** All there is, or what was named. Throws INPUT for a name that is none. */
function chosen<T extends string>(
  what: string,
  all: readonly T[],
  names: readonly string[] | undefined,
): readonly T[] {
  if (names === undefined) return all;
  return names.map((name) => {
    const found = all.find((each) => each === name);
    if (found !== undefined) return found;
    throw usageError(`there is no ${what} "${name}": take some of ${all.join(", ")}`);
  });
}

const LEGEND = [
  "Medians of one query, from the call to the last column in hand, warm; with several repeats the median of theirs, and " +
    "its spread. Raw fetches: nothing is aggregated. lastpoint looks back 5 minutes; high-cpu reads a metric and keeps what is above 90. " +
    "rows is the mean of an answer; samples/s counts what was read for it.",
];

function footer(
  results: readonly QueryCellResult[],
  environment: Environment,
  run: { readonly interrupted: boolean; readonly json: string | undefined },
): string[] {
  const lines: string[] = [];
  for (const { spec, status, reasons } of results) {
    if (status !== "ok") lines.push(`${spec.id}: ${status}: ${reasons.join("; ")}`);
  }
  const ok = results.filter(({ status }) => status === "ok");
  if (ok.length > 0) {
    const answers = new Set(ok.map(({ kinds }) => kinds.map(({ checksum }) => checksum).join()));
    const same = answers.size === 1 ? "the same answers, which are" : "different answers, each";
    const queries = ok[0]!.kinds.reduce((sum, each) => sum + each.queries, 0);
    lines.push(
      `${ok.length} of ${results.length} stores gave ${same} what the data says, to ${queries} queries a repeat.`,
    );
  }
  if (run.interrupted) lines.push("Interrupted: what was measured until then.");
  lines.push(...environmentLines(environment));
  if (run.json !== undefined) lines.push(`Everything that was measured is in ${run.json}.`);
  return lines;
}

const EXAMPLES = `
Examples:
  $ varve-lab query
  $ varve-lab query --only lastpoint,double-groupby-all --store blocks --json q.json
  $ varve-lab query --postings=lazy,eager --scale 1000 --hours 2
  $ varve-lab query --series 20kseries.json --hours 1 --dir /mnt/ssd`;
