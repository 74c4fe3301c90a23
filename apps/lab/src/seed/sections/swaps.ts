import { gainText, percentText, spreadText } from "../format.ts";
import type { FixResult, SuspectResult, WaterfallStep } from "../report.ts";
import type { Section } from "./section.ts";

/** Part 3 as text. */
export function suspectsSection(
  suspects: readonly SuspectResult[],
  otherFixes: readonly FixResult[],
): Section {
  const row = (rank: string, fix: FixResult): string[] => [
    rank,
    fix.title,
    spreadText(fix.new.perSecond),
    gainText(fix.new),
    gainText(fix.update),
  ];
  return {
    title: "Every suspect alone",
    about: [
      "The baseline with exactly one part swapped, baseline and variants in turns. Ratios are rates with the swap " +
        "over rates without it. A difference within the spread is written *no difference*.",
    ],
    tables: [
      {
        caption: "What a swap gains",
        head: ["rank", "suspect", "new series", "new, gain", "updates, gain"],
        rows: [
          ...suspects.flatMap((suspect) => [
            row(String(suspect.rank), suspect),
            ...suspect.parts.map((part) => row("", part)),
          ]),
          ...otherFixes.map((fix) => row("–", fix)),
        ],
      },
      {
        caption: "Share of the time of a new series",
        head: ["suspect", "predicted", "measured upstream, later", "our phases, baseline"],
        rows: suspects.map(({ title, predicted, measuredUpstream, sharePercent }) => [
          title,
          predicted,
          measuredUpstream,
          percentText(sharePercent),
        ]),
      },
    ],
    notes: [
      "Rows without a rank are no suspect: parts of one, or what else differs from the best composition.",
      ...[...suspects, ...otherFixes].map(
        ({ title, swap, proof }) => `${title}: ${swap}${proof === "" ? "" : ` (${proof})`}.`,
      ),
    ],
  };
}

/** Part 4 as text. */
export function waterfallSection(steps: readonly WaterfallStep[]): Section {
  return {
    title: "The fixes added up",
    about: [
      "One fix after the other on top of the baseline, what gained most alone first; the last line is the best composition.",
    ],
    tables: [
      {
        head: ["with", "new series", "gain on the line above", "updates"],
        rows: steps.map(({ fix, newPerSecond, updatePerSecond, gain }, i) => [
          i === 0 ? fix : `+ ${fix}`,
          spreadText(newPerSecond),
          gain === null ? "" : gainText(gain),
          spreadText(updatePerSecond),
        ]),
      },
    ],
    notes: [],
  };
}
