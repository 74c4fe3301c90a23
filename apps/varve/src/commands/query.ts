import { Command } from "@commander-js/extra-typings";
import type { Labels } from "@varve/contracts";
import { formatSelector, matchersOf as matchersOfLabels } from "@varve/matcher";
import { positive, time } from "../input/parse.ts";
import { checkRange, matchersOf } from "../input/select.ts";
import { interruptible } from "../interrupt.ts";
import { counted, time as timeText, visible, whole } from "../print/format.ts";
import { print } from "../print/output.ts";
import { plot, type Curve } from "../print/plot.ts";
import { Progress } from "../print/progress.ts";
import { table } from "../print/table.ts";
import { openToRead, type Store } from "../store/open.ts";

/** What one series came to. */
interface Row {
  readonly labels: Labels;
  readonly samples: number;
  readonly firstTime: number;
  readonly lastTime: number;
  /** Over finite values; null when there are none. JSON has no other numbers. */
  readonly min: number | null;
  readonly max: number | null;
  readonly last: number | null;
}

/** Height of the plot, in lines. */
const PLOT_HEIGHT = 12;
/** Width of the plot where the terminal says none, in characters. */
const PLOT_WIDTH = 80;

/** `query DIR SELECTOR`: series, what they hold, and a plot of them. */
export function queryCommand() {
  return new Command("query")
    .description("show series and plot their samples")
    .argument("<dir>", "the data directory")
    .argument("<selector>", 'series, as Prometheus selects them: cpu{host=~"web.*"}')
    .option("--from <time>", "samples from this time on: ms, RFC 3339 or now-2h", time)
    .option("--until <time>", "samples before this time", time)
    .option("--max-series <n>", "refuse to show more series than this", positive, 100)
    .option("--max-samples <n>", "refuse to read more samples than this", positive, 10_000_000)
    .option("--no-plot", "the table only")
    .option("--json", "print the series and all their samples as JSON", false)
    .addHelpText("after", EXAMPLES)
    .action((dir, text, options) =>
      interruptible(async (signal) => {
        checkRange(options);
        const matchers = matchersOf("<selector>", text);
        await using store = await openToRead(dir);
        const { from, until, maxSeries, maxSamples } = options;
        const range = { from, until, maxSeries, maxSamples, signal };
        const { rows, curves } = await read(store.select(matchers, range));
        const series = rows.map((row, at) => ({ ...row, points: pointsOf(curves[at]!) }));
        print(options, { series }, () => textOf(rows, options.plot ? curves : []));
      }),
    );
}

async function read(
  selection: ReturnType<Store["select"]>,
): Promise<{ readonly rows: Row[]; readonly curves: Curve[] }> {
  const rows: Row[] = [];
  const curves: Curve[] = [];
  using progress = new Progress();
  for await (const { labels, times, values } of selection) {
    rows.push(rowOf(labels, times, values));
    curves.push({ times, values });
    progress.update(() => `read ${whole(rows.length)} series`);
  }
  return { rows, curves };
}

function rowOf(labels: Labels, times: Float64Array, values: Float64Array): Row {
  let [min, max] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return {
    labels,
    samples: times.length,
    firstTime: times[0]!,
    lastTime: times[times.length - 1]!,
    min: finite(min),
    max: finite(max),
    last: finite(values[values.length - 1]!),
  };
}

/** Times and values in pairs; a value that JSON has no number for is a string. */
function pointsOf({ times, values }: Curve): [number, number | string][] {
  return Array.from(times, (at, i) => [at, finite(values[i]!) ?? String(values[i]!)]);
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function textOf(rows: readonly Row[], curves: readonly Curve[]): string {
  if (rows.length === 0) return "no series";
  const shown = rows.map(({ labels, samples, min, max, last, lastTime }) => [
    visible(formatSelector(matchersOfLabels(labels))),
    whole(samples),
    numberText(min),
    numberText(max),
    numberText(last),
    timeText(lastTime),
  ]);
  const columns = ["samples", "min", "max", "last"].map(
    (head) => ({ head, align: "right" }) as const,
  );
  const drawing = plot(curves, {
    width: process.stdout.columns ?? PLOT_WIDTH,
    height: PLOT_HEIGHT,
  });
  const first = Math.min(...rows.map(({ firstTime }) => firstTime));
  const last = Math.max(...rows.map(({ lastTime }) => lastTime));
  return [
    ...(drawing === "" ? [] : [drawing, `${timeText(first)} … ${timeText(last)}`, ""]),
    table([{ head: "series" }, ...columns, { head: "at" }], shown),
    counted(
      rows.reduce((sum, { samples }) => sum + samples, 0),
      "sample",
    ),
  ].join("\n");
}

function numberText(value: number | null): string {
  return value === null ? "-" : String(value);
}

const EXAMPLES = `
Examples:
  $ varve query data up
  $ varve query data 'cpu{host="web-1"}' --from now-1d
  $ varve query data '{job=~"a.*"}' --json | jq '.series[].last'`;
