import Table from "cli-table3";
import pc from "picocolors";

const GAP = 2;
const RULES =
  "top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right " +
  "left left-mid mid mid-mid right right-mid middle";
const NO_RULES = Object.fromEntries(RULES.split(" ").map((name) => [name, ""]));

/** One column of a table. Numbers stand right. */
export interface Column {
  readonly head: string;
  readonly align?: "left" | "right";
}

/** Lays out a table without rules, each column as wide as its longest cell. Cells are shown as they are. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const made = new Table({
    head: columns.map(({ head }) => pc.bold(head)),
    colAligns: columns.map(({ align = "left" }) => align),
    style: { head: [], border: [], "padding-left": 0, "padding-right": GAP },
    chars: NO_RULES,
  });
  made.push(...rows.map((row) => [...row]));
  return made
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** Names and what they are, one a line. */
export function facts(pairs: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${pc.bold(name.padEnd(width))}  ${value}`).join("\n");
}
