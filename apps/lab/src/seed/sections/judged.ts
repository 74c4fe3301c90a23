import { micros, rate } from "../../report/format.ts";
import { percentText } from "../format.ts";
import type { CriterionResult, PredictionResult } from "../report.ts";
import type { Section, TextTable } from "./section.ts";

/** Part 6 as text: criteria and targets. */
export function criteriaSection(
  criteria: readonly CriterionResult[],
  targets: readonly CriterionResult[],
): Section {
  return {
    title: "Criteria",
    about: [
      "A criterion is judged by the best composition; what the baseline does stands beside it.",
    ],
    tables: [
      criteriaTable("The six criteria of the question", criteria),
      criteriaTable("What the best composition has to reach", targets),
    ],
    notes: [],
  };
}

/** Part 6 as text: predictions. */
export function predictionsSection(predictions: readonly PredictionResult[]): Section {
  return {
    title: "Predictions",
    about: [
      "What was predicted of a new series' time, against the share that the baseline's phases measure. " +
        "*Minimal* counts as below 5 %, *low–medium* as below 20 %.",
    ],
    tables: [
      {
        head: ["suspect", "predicted", "measured", "prediction"],
        rows: predictions.map(({ suspect, predicted, measuredPercent, confirmed }) => [
          suspect,
          predicted,
          percentText(measuredPercent),
          confirmed ? "confirmed" : "refuted",
        ]),
      },
    ],
    notes: [],
  };
}

function criteriaTable(caption: string, results: readonly CriterionResult[]): TextTable {
  const figure = (result: CriterionResult, value: number): string =>
    result.unit === "µs" ? micros(value) : rate(value);
  return {
    caption,
    head: ["criterion", "baseline", "", "best", "", "note"],
    rows: results.map((result) => [
      result.text,
      figure(result, result.baseline),
      result.metByBaseline ? "met" : "not met",
      figure(result, result.best),
      result.met ? "met" : "not met",
      result.note,
    ]),
  };
}
