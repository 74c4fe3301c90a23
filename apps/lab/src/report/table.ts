import Table from "cli-table3";
import pc from "picocolors";

/** Width that tables and text keep, in characters. */
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
    head: columns.map(({ head }, at) => pc.bold(fold(head, widths[at]!))),
    colAligns: columns.map(({ align = "left" }) => align),
    colWidths: widths.map((width) => width + GAP),
    style: { head: [], border: [], "padding-left": 0, "padding-right": GAP },
    chars: NO_RULES,
  });
  made.push(...rows.map((row) => columns.map((_, at) => fold(row[at] ?? "", widths[at]!))));
  return made
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** Breaks text at spaces so that its lines fit; lines after the first begin with `indent`. */
export function wrap(text: string, indent = ""): string {
  const lines: string[] = [];
  let line = /^ */.exec(text)![0];
  for (const word of text.slice(line.length).split(" ")) {
    const longer = line.trim() === "" ? line + word : `${line} ${word}`;
    if (lengthOf(longer) <= WIDTH || line.trim() === "") {
      line = longer;
    } else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line].join("\n");
}

const RULES =
  "top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right " +
  "left left-mid mid mid-mid right right-mid middle";
const NO_RULES = Object.fromEntries(RULES.split(" ").map((name) => [name, ""]));

/** Breaks text into lines of at most `width`, at spaces where there are some. */
function fold(text: string, width: number): string {
  if (lengthOf(text) <= width) return text;
  const at = text.lastIndexOf(" ", width);
  const end = at > 0 ? at : width;
  return `${text.slice(0, end)}\n${fold(text.slice(end).trimStart(), width)}`;
}

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
