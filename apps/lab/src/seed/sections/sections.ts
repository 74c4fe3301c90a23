import { spreadText } from "../format.ts";
import type { Leftover, PartialSeedReport } from "../report.ts";
import { criteriaSection, predictionsSection } from "./judged.ts";
import { phasesSection } from "./phases.ts";
import { reproducedSection } from "./reproduced.ts";
import type { Section } from "./section.ts";
import { openBatchSection, sustainedSection } from "./sustained.ts";
import { suspectsSection, waterfallSection } from "./swaps.ts";

/** Everything that a report has, in the order of the investigation. */
export function sectionsOf(report: PartialSeedReport): Section[] {
  const { baseline, best, phases, suspects, otherFixes, waterfall } = report;
  const { sustained, criteria, targets, predictions } = report;
  const sections: Section[] = [];
  if (baseline !== undefined && best !== undefined) {
    sections.push(reproducedSection({ baseline, best }, report.settings.rowsPerRound));
  }
  if (phases !== undefined) sections.push(phasesSection(phases));
  if (suspects !== undefined) sections.push(suspectsSection(suspects, otherFixes ?? []));
  if (waterfall !== undefined) sections.push(waterfallSection(waterfall));
  if (sustained !== undefined) sections.push(sustainedSection(sustained));
  if (report.openBatch !== undefined) sections.push(openBatchSection(report.openBatch));
  if (criteria !== undefined) sections.push(criteriaSection(criteria, targets ?? []));
  if (predictions !== undefined) sections.push(predictionsSection(predictions));
  if (report.leftovers !== undefined) sections.push(leftoverSection(report.leftovers));
  return sections;
}

function leftoverSection(leftovers: readonly Leftover[]): Section {
  return {
    title: "Measured before the end",
    about: ["Cells of a part that did not come to its end: rates, durable after the flush."],
    tables: [
      {
        head: ["cell", "rate"],
        rows: leftovers.map(({ cell, perSecond }) => [cell, spreadText(perSecond)]),
      },
    ],
    notes: [],
  };
}
