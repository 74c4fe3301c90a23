import pc from "picocolors";
import { environmentLines } from "../report/environment.ts";
import { table } from "../report/table.ts";
import type { PartialSeedReport } from "./report.ts";
import type { TextTable } from "./sections/section.ts";
import { sectionsOf } from "./sections/sections.ts";

/** The whole report as text for a terminal. */
export function terminalText(report: PartialSeedReport): string {
  const lines: string[] = [];
  for (const { title, about, tables, notes } of sectionsOf(report)) {
    lines.push("", pc.bold(pc.cyan(title)), ...about.map(plain));
    for (const each of tables) {
      lines.push("");
      if (each.caption !== undefined) lines.push(pc.dim(each.caption));
      lines.push(terminalTable(each));
    }
    if (notes.length > 0) lines.push("", ...notes.map((note) => plain(`- ${note}`)));
  }
  lines.push("", ...environmentLines(report.environment));
  for (const reason of report.incomplete) lines.push(pc.yellow(`missing: ${reason}`));
  return lines.join("\n");
}

function terminalTable({ head, rows }: TextTable): string {
  const columns = head.map((name, at) => ({
    head: name,
    align: isNumeric(rows, at) ? ("right" as const) : ("left" as const),
    wraps: true,
  }));
  return table(columns, rows);
}

/** A column of figures: every cell begins with a digit, or is a dash or empty. */
export function isNumeric(rows: TextTable["rows"], at: number): boolean {
  return rows.every((row) => /^(\d|–$|≤|$)/.test(row[at] ?? ""));
}

/** Markdown's emphasis taken off. */
function plain(text: string): string {
  return text.replaceAll(/[*`]/g, "");
}
