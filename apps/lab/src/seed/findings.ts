import { basename } from "node:path";
import { count, micros, rate, ratio } from "../report/format.ts";
import { environmentLines } from "../report/environment.ts";
import { countText, percentText } from "./format.ts";
import { isNumeric } from "./print.ts";
import type { PartialSeedReport, SeedReport } from "./report.ts";
import type { TextTable } from "./sections/section.ts";
import { sectionsOf } from "./sections/sections.ts";
import { isComplete } from "./investigate.ts";

/** Makes `docs/findings.md` of a report. Every number on the page comes from the report. */
export function findingsText(report: PartialSeedReport, file: string): string {
  const blocks = [
    "# Findings",
    `<!-- Generated from ${basename(file)} by \`pnpm lab findings\`. Do not edit: measure again. -->`,
    "## The question",
    "A time-series database wrote **new** series 24 times slower than it updated existing ones: 10.5 K/s against 250 K/s. " +
      "Five suspects were named: series id and index, the write-ahead log, allocation, locks, the block manager. " +
      "This page runs the whole case again, with one part swapped at a time and everything else equal.",
    "## The answer",
    ...(isComplete(report) ? answer(report) : ["This run is not complete, so it answers nothing."]),
    ...report.incomplete.map((reason) => `- Missing: ${reason}`),
  ];
  for (const { title, about, tables, notes } of sectionsOf(report)) {
    blocks.push(`## ${title}`, ...about);
    for (const each of tables) {
      if (each.caption !== undefined) blocks.push(`**${each.caption}**`);
      blocks.push(markdownTable(each));
    }
    if (notes.length > 0) blocks.push(notes.map((note) => `- ${note}`).join("\n"));
  }
  blocks.push("## Run it yourself", ...reproducing(report));
  return `${blocks.join("\n\n")}\n`;
}

/** What the data says, in a few paragraphs. */
function answer(report: SeedReport): string[] {
  const {
    baseline,
    best,
    suspects,
    waterfall,
    sustained,
    phases,
    predictions,
    criteria,
    settings,
  } = report;
  const culprit = suspects.toSorted((a, b) => a.rank - b.rank)[0]!;
  const others = suspects.filter((each) => each.id !== culprit.id);
  const nextBest = others.toSorted((a, b) => b.new.ratio - a.new.ratio)[0]!;
  const confirmed = predictions.filter((each) => each.confirmed).map(({ suspect }) => suspect);
  const last = waterfall.at(-1)!;
  const met = criteria.filter((each) => each.met).length;
  const top = phases.find(
    (each) => each.composition === "baseline" && each.rows === "new" && each.call === "single",
  )?.phases[0];
  const worst = sustained.toSorted((a, b) => b.p999Us - a.p999Us)[0]!;
  const calmest = sustained.toSorted((a, b) => a.p999Us - b.p999Us)[0]!;
  return [
    `The slow composition writes new series at **${rate(baseline.newPerSecond)}** and updates at ${rate(baseline.updatePerSecond)}, ` +
      `${ratio(baseline.ratio)} as fast. The **${culprit.title}** is what separates them: swapped alone it makes new series ` +
      `**${ratio(culprit.new.ratio)}** as fast, and our phases charge it with ${percentText(culprit.sharePercent)} of the time of a new series` +
      `${top === undefined ? "" : ` (longest phase: ${top.name}, ${percentText(top.percent)})`}. ` +
      `The next suspect, ${nextBest.title}, alone comes to ${ratio(nextBest.new.ratio)} (${nextBest.new.word}).`,
    `With every fix added up, new series are written at **${rate(last.newPerSecond.median)}** and updates at ` +
      `${rate(last.updatePerSecond.median)}${shortRounds(settings, best.newPerSecond)}. ` +
      `A million new series in one go are written at ${rate(best.million.newPerSecond)}, ` +
      `P99 ${micros(best.million.p99Us)} a call (noise floor ${micros(best.million.noiseFloor.p99Us)}). ` +
      `The best composition meets ${met} of the ${criteria.length} criteria.`,
    `Of the predictions, ${confirmed.length === 0 ? "none holds" : `${confirmed.join(" and ")} ${confirmed.length === 1 ? "holds" : "hold"}`} here. ` +
      `Past block size, ${worst.blockManager} has the longest P99.9 of a call, ${micros(worst.p999Us)}, ` +
      `and ${calmest.blockManager} the shortest, ${micros(calmest.p999Us)}: that is where a cost that was only moved would come back.`,
  ];
}

/** Why the last step of the waterfall is slower than the same composition in part 1, where its rounds are shorter. */
function shortRounds({ suspectRows, rowsPerRound }: SeedReport["settings"], best: number): string {
  if (suspectRows >= rowsPerRound) return "";
  return (
    `: in rounds of ${countText(suspectRows)} new series, where the code is less warm and the flush at the end weighs more. ` +
    `In rounds of ${countText(rowsPerRound)}, as in the first table, the same composition writes new series at ${rate(best)}`
  );
}

function reproducing({ settings, environment, durationSeconds }: PartialSeedReport): string[] {
  return [
    `\`\`\`sh\npnpm lab seed --repeats ${settings.repeats} --json bench/results/seed.json\npnpm lab findings bench/results/seed.json --out docs/findings.md --readme README.md\n\`\`\``,
    `Input: ${settings.input}, ${count(settings.labelsPerSeries)} labels a series, keys of ${count(settings.keyBytes)} bytes on average; ` +
      `${settings.rounds} rounds of ${countText(settings.rowsPerRound)} rows (${countText(settings.suspectRows)} new series where suspects are swapped), ` +
      `in processes of their own, ${settings.repeats} a cell, in turns. The run took ${count(durationSeconds)} s.`,
    environmentLines(environment).join("  \n"),
    "How it is measured, and what is not claimed: [benchmarking.md](benchmarking.md).",
  ];
}

/** A table in Markdown, numbers to the right. */
export function markdownTable({ head, rows }: Pick<TextTable, "head" | "rows">): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, at) => (isNumeric(rows, at) ? "---:" : "---"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
