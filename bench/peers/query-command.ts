import { Command, Option } from "@commander-js/extra-typings";
import { StorageError } from "@varve/contracts";
import type { QueryDataSpec } from "@varve/lab";
import { QUERY_KINDS, type QueryKind } from "@varve/workload";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { makeData } from "./data.ts";
import { environmentLines, environmentOf } from "../environment.ts";
import { EXIT, interruptible, showProgress } from "./command-line.ts";
import { checkDir, checkWritable, decimal, list, positive, repeatCount, whole } from "./parse.ts";
import { rowsTable, storesTable } from "./report.ts";
import { rowsOf, type PeerRow } from "./rows.ts";
import { runPeers } from "./run-peers.ts";
import { RIVALS, type RivalName } from "./store.ts";

/** `query`: how fast varve and other stores answer the same queries on the same data. */
export function queryCommand() {
  const command = new Command("query")
    .description("put TSBS-shaped queries to varve and to its peers, in turns")
    .addOption(
      new Option(
        "--only <names>",
        `only these queries and peers: ${[...QUERY_KINDS, ...RIVALS].join(", ")}`,
      ).argParser(list),
    )
    .option("--scale <hosts>", "hosts, of ten series each", positive, 100)
    .option("--hours <n>", "time that the samples cover, one every 10 s", decimal, 24)
    .option("--series <file>", "label sets from a file: JSON lines, or Prometheus text")
    .option("--queries <n>", "most queries of a turn; kinds that read much get fewer", positive, 20)
    .option("--repeats <n>", "turns of each store at each kind, at least 5", repeatCount, 5)
    .option("--seed <n>", "seed of data and queries", whole, 1)
    .option("--dir <path>", "directory for the stores: decides the file system", tmpdir())
    .option("--json <file>", "write everything that was measured")
    .addHelpText("after", EXAMPLES);
  return command.action(async (options) => {
    const { repeats, seed, dir, json } = options;
    checkDir(dir);
    if (json !== undefined) checkWritable(json);
    const { kinds, rivals } = chosen(options.only ?? []);
    const data = dataOf(options);
    if (data.seriesFile !== undefined) await makeData({ ...data, hours: 0 }); // Refuses what cannot be asked for.
    const work = { kinds, queriesMax: options.queries, seed };
    const environment = { ...environmentOf(seed), dir };
    const { value: result, exitCode } = await interruptible((signal) =>
      runPeers({ data, work, rivals, repeats, dir }, signal, showProgress()),
    );
    const rows = rowsOf(result, repeats);
    const interrupted = exitCode !== EXIT.ok;
    if (json !== undefined) {
      const about = { command: process.argv.slice(2).join(" "), interrupted, repeats, data };
      const report = { ...about, rows, stores: result.stores, environment };
      writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
    }
    const tables = [storesTable(result.stores), rowsTable(rows), LEGEND];
    console.log(tables.join("\n\n"));
    for (const line of notesOf(rows)) console.log(line);
    for (const { about } of Object.values(result.stores)) console.log(about);
    for (const line of environmentLines(environment)) console.log(line);
    if (interrupted) console.log("Interrupted: what was measured until then.");
    const isFailed = rows.some(({ status }) => status === "failed");
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
  return { seed, hosts, hours, ...(series === undefined ? {} : { seriesFile: resolve(series) }) };
}

/** Queries and peers by name; where none is named, all. Throws INPUT for a name that is neither. */
function chosen(names: readonly string[]): { kinds: QueryKind[]; rivals: RivalName[] } {
  const known: readonly string[] = [...QUERY_KINDS, ...RIVALS];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const message = `there is no query or peer "${unknown}": take some of ${known.join(", ")}`;
    throw new StorageError("INPUT", message);
  }
  const some = <T extends string>(all: readonly T[]): T[] => {
    const named = all.filter((each) => names.includes(each));
    return named.length > 0 ? named : [...all];
  };
  return { kinds: some(QUERY_KINDS), rivals: some(RIVALS) };
}

/** Which rows count for nothing, and why; and that the others' answers are right. */
function notesOf(rows: readonly PeerRow[]): string[] {
  const failed = rows.filter(({ status }) => status === "failed");
  const right = rows.filter(({ ours }) => ours !== null).length;
  return [
    ...failed.map(({ work, peer, reason }) => `${work}, ${peer}: failed: ${reason}`),
    `In ${right} of ${rows.length} rows both gave the same answers, which are what the data says.`,
  ];
}

const LEGEND = `Median time of a query, warm, from the call to the last column in hand: labels and
two columns of doubles for each series. rows is the mean of an answer. A difference
counts when it exceeds the spread of the turns and the 95 % interval of the ratio
excludes 1. All samples are durable before the first query.`;

const EXAMPLES = `
Examples:
  $ pnpm run peers query
  $ pnpm run peers query --only lastpoint,duckdb --scale 1000 --hours 2
  $ pnpm run peers query --series 20kseries.json --hours 1 --json peers.json`;
