import { usageError } from "../commands/failure.ts";
import { micros, rate, ratio } from "../report/format.ts";
import { environmentLines } from "../report/environment.ts";
import { countText, percentText } from "./format.ts";
import { markdownTable } from "./findings.ts";
import { isComplete } from "./investigate.ts";
import type { PartialSeedReport, Reproduction, SeedReport } from "./report.ts";

const BEGIN = "<!-- measured: begin -->";
const END = "<!-- measured: end -->";

/** Puts a report's figures between the markers of a README. Throws INPUT without markers, or with an incomplete report. */
export function withMeasured(readme: string, report: PartialSeedReport, file: string): string {
  if (!isComplete(report)) throw usageError(`${file} is of a run that was not complete`);
  const from = readme.indexOf(BEGIN);
  const until = readme.indexOf(END);
  if (from < 0 || until < from) throw usageError(`no ${BEGIN} … ${END} to write between`);
  return `${readme.slice(0, from + BEGIN.length)}\n${measuredText(report, file)}\n${readme.slice(until)}`;
}

function measuredText(report: SeedReport, file: string): string {
  const { baseline, best, suspects, settings } = report;
  return [
    `Single \`write(labels, time, value)\` calls, ${countText(settings.rowsPerRound)} a round into fresh stores, medians of ` +
      `${settings.rounds * settings.repeats} rounds. Rates include the flush at the end: all rows are **durable** when the clock stops. ` +
      "P99 is of one call of a new series, acknowledged as **accepted**; the floor is a loop of pure arithmetic as long, in the same run.",
    markdownTable({
      head: ["composition", "new series", "updates of one", "updates of all", "P99 (floor)"],
      rows: [
        figures("`seed()`, the baseline", baseline),
        figures("`recommended()`", best),
        [
          `\`recommended()\`, ${countText(best.million.rows)} in one go`,
          rate(best.million.newPerSecond),
          "–",
          "–",
          tail(best.million.p99Us, best.million.noiseFloor.p99Us),
        ],
      ],
    }),
    "And the suspects, each swapped alone in the baseline:",
    markdownTable({
      head: [
        "suspect",
        "predicted",
        "measured upstream",
        "share here",
        "new series, swapped alone",
      ],
      rows: suspects
        .toSorted((a, b) => a.rank - b.rank)
        .map((each) => [
          each.title,
          each.predicted,
          each.measuredUpstream,
          percentText(each.sharePercent),
          `${ratio(each.new.ratio)}, ${each.new.word}`,
        ]),
    }),
    `${environmentLines(report.environment).join("; ")}.\n` +
      `Generated: \`pnpm lab seed --repeats ${settings.repeats} --json ${file} && pnpm lab findings ${file} --out docs/findings.md --readme README.md\`.`,
  ].join("\n\n");
}

function figures(name: string, { latency, ...rates }: Reproduction): string[] {
  return [
    name,
    rate(rates.newPerSecond),
    rate(rates.updatePerSecond),
    rate(rates.updateSpreadPerSecond),
    tail(latency.new.p99Us, latency.new.noiseFloor.p99Us),
  ];
}

function tail(p99Us: number, floorUs: number): string {
  return `${micros(p99Us)} (${micros(floorUs)})`;
}
