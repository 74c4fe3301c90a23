import type { PartialSeedReport } from "../report.ts";
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
  return sections;
}
