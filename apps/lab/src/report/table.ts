import Table from "cli-table3";
import pc from "picocolors";

/** Width that a table keeps, in characters. */
const WIDTH = 80;
/** Narrowest that a column gets before the table may be wider. */
const COLUMN_MIN = 8;
const GAP = 2;

/** One column of a table. */
export interface Column {
  readonly head: string;
  /** Numbers stand right. Default `left`. */
  readonly align?: "left" | "right";
  /** May be wrapped to make the table fit. */
  readonly wraps?: boolean;
}

/**
 * Lays out a table without rules, at most 80 columns wide when its wrapping columns allow. Colours are left to
 * picocolors, which drops them where nobody would see them.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ head }, at) =>
    Math.max(...[head, ...rows.map((row) => row[at] ?? "")].map(lengthOf)),
  );
  shrink(columns, widths);
  const made = new Table({
    head: columns.map(({ head }) => pc.bold(head)),
    colAligns: columns.map(({ align = "left" }) => align),
    colWidths: widths.map((width, at) => width + (at === widths.length - 1 ? 0 : GAP)),
    wordWrap: true,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    chars: NO_RULES,
  });
  // The gap belongs to the left of a column that stands right, and to the right of any other.
  made.push(...rows.map((row) => columns.map((_, at) => row[at] ?? "")));
  return made
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

const NO_RULES = Object.fromEntries(
  [
    ...["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left"],
    ...["bottom-right", "left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"],
  ].map((name) => [name, ""]),
);

/** Takes what is too much from the widest columns that may wrap. */
function shrink(columns: readonly Column[], widths: number[]): void {
  let over = widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1)) - WIDTH;
  while (over > 0) {
    let widest = -1;
    for (let at = 0; at < widths.length; at += 1) {
      if (columns[at]!.wraps !== true || widths[at]! <= COLUMN_MIN) continue;
      if (widest < 0 || widths[at]! > widths[widest]!) widest = at;
    }
    if (widest < 0) return;
    widths[widest]! -= 1;
    over -= 1;
  }
}

function lengthOf(text: string): number {
  // oxlint-disable-next-line no-control-regex -- colour sequences take no room
  return text.replace(/\u001b\[\d+m/g, "").length;
}
