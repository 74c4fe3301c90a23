import { isClean } from "./results.ts";
import type { RowResult } from "./row.ts";

/** One line for a row that was run, and one for each thing that it found. */
export function rowLines(result: RowResult): string {
  const { id, count, unit, lost, wrong, hangs, skipped, seconds, found } = result;
  if (skipped !== null) return `- ${id}  SKIPPED: ${skipped}`;
  const mark = isClean(result) ? "✓" : "✗";
  const counts = `${count.toLocaleString("en")} ${unit}, ${lost} lost, ${wrong} wrong, ${hangs} hangs`;
  return [`${mark} ${id}  ${counts}  (${seconds} s)`, ...found.map((text) => `    ${text}`)].join(
    "\n",
  );
}
