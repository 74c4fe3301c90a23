import { Command } from "@commander-js/extra-typings";
import { positive, time } from "../input/parse.ts";
import { checkRange, matchersOf } from "../input/select.ts";
import { interruptible } from "../interrupt.ts";
import { timeOrDash, visible, whole } from "../print/format.ts";
import { print } from "../print/output.ts";
import { Progress } from "../print/progress.ts";
import { facts, table } from "../print/table.ts";
import { Cardinality, type CardinalityReport, type Counted } from "../store/cardinality.ts";
import { openToRead } from "../store/open.ts";

/** `stats DIR`: where the series come from. */
export function statsCommand() {
  return new Command("stats")
    .description("count series by metric, label and value: where cardinality comes from")
    .argument("<dir>", "the data directory")
    .option("--match <selector>", "only these series", "{}")
    .option("--from <time>", "samples from this time on: ms, RFC 3339 or now-2h", time)
    .option("--until <time>", "samples before this time", time)
    .option("--limit <n>", "rows of each table", positive, 20)
    .option("--json", "print the counts as JSON", false)
    .addHelpText("after", EXAMPLES)
    .action((dir, options) =>
      interruptible(async (signal) => {
        checkRange(options);
        const matchers = matchersOf("--match", options.match);
        await using store = await openToRead(dir);
        using progress = new Progress();
        const counts = new Cardinality();
        const { from, until } = options;
        for await (const { labels, times } of store.select(matchers, { from, until, signal })) {
          counts.add(labels, times);
          progress.update(() => `counted ${whole(counts.series)} series`);
        }
        const report = counts.report(options.limit);
        print(options, report, () => textOf(report));
      }),
    );
}

function textOf(report: CardinalityReport): string {
  const { series, samples, firstTime, lastTime } = report;
  return [
    facts([
      ["series", whole(series)],
      ["samples", whole(samples)],
      ["from", timeOrDash(firstTime ?? Number.NaN)],
      ["to", timeOrDash(lastTime ?? Number.NaN)],
    ]),
    "",
    countTable("metric", "series", report.metrics),
    "",
    countTable("label", "values", report.labelValues),
    "",
    countTable("label", "series", report.labels),
    "",
    countTable("pair", "series", report.pairs),
  ].join("\n");
}

function countTable(name: string, unit: string, counts: readonly Counted[]): string {
  return table(
    [{ head: name }, { head: unit, align: "right" }],
    counts.map((each) => [visible(each.name), whole(each.count)]),
  );
}

const EXAMPLES = `
Examples:
  $ varve stats data
  $ varve stats data --match '{job="api"}' --limit 5
  $ varve stats data --json | jq '.metrics[0]'`;
