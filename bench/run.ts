import { globSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import type { Bench } from "tinybench";
import { ROWS } from "./rows.ts";

/** What each `bench/*.bench.ts` exports as `benchmark`: an iteration of each task works through `ROWS` rows. */
export type Benchmark = (options: BenchmarkOptions) => Promise<Bench>;

export interface BenchmarkOptions {
  /** Run tiny: only to see that it still runs. Its figures mean nothing. */
  readonly smoke: boolean;
}

interface Row {
  readonly file: string;
  readonly task: string;
  /** Median time of an iteration, divided by its rows. */
  readonly nsPerRow: number;

  readonly nsPerRowMin: number;
  readonly nsPerRowP75: number;
  readonly iterations: number;
}

/**
 * Runs the micro-benchmarks, each in this one process: they compare inner loops, and the lab, which
 * gives each cell a process of its own, compares parts.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { smoke: { type: "boolean", default: false }, json: { type: "string" } },
});

const rows: Row[] = [];
for (const file of globSync("*.bench.ts", { cwd: import.meta.dirname }).toSorted()) {
  const name = basename(file, ".bench.ts");
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const { benchmark } = (await import(join(import.meta.dirname, file))) as {
    benchmark: Benchmark;
  };
  const bench = await benchmark({ smoke: values.smoke });
  if (bench.results.length === 0 || bench.results.some((each) => each.state === "not-started")) {
    await bench.run();
  }
  for (const task of bench.tasks) {
    const { result } = task;
    if (result.state === "errored")
      throw new Error(`${name}: ${task.name}`, { cause: result.error });
    if (result.state !== "completed") throw new Error(`${name}: ${task.name} is ${result.state}`);
    rows.push({
      file: name,
      task: task.name,
      nsPerRow: perRow(result.latency.p50),
      nsPerRowMin: perRow(result.latency.min),
      nsPerRowP75: perRow(result.latency.p75),
      iterations: result.latency.samplesCount,
    });
  }
}
if (!values.smoke) console.table(rows);
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, null, 2)}\n`);
console.log(`${rows.length} benchmarks ran`);

/** An iteration's time in milliseconds as nanoseconds a row. */
function perRow(ms: number): number {
  return Number(((ms * 1e6) / ROWS).toPrecision(4));
}
