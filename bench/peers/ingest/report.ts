import { table, verdictOf } from "../report.ts";
import type { IngestRow } from "./ingest-rows.ts";
import type { Pair } from "./pairs.ts";

/** One line for each work and peer. */
export function rowsTable(rows: readonly IngestRow[]): string {
  const lines = rows.map((row) => [row.work, row.peer, ...figuresOf(row)]);
  return table(["work", "peer", "varve", "peer's", "varve is", "spread"], lines, 2);
}

function figuresOf(row: IngestRow): string[] {
  const { ours, theirs, status, isPeerSynced } = row;
  if (ours === null) return [status];
  if (theirs === null) return [rate(ours), "", "", size(row.spread!)];
  const star = isPeerSynced ? "*" : ""; // It did more than varve.
  return [rate(ours), rate(theirs) + star, ...verdictOf(row)];
}

/** Rows that count for nothing, and why; then what each work and each store is. */
export function notesOf(rows: readonly IngestRow[], pairs: readonly Pair[]): string[] {
  const odd = rows.filter(({ reason }) => reason !== null);
  const starred = rows.filter(({ isPeerSynced }) => isPeerSynced);
  const works = new Map(rows.map(({ work, note }) => [work, note]));
  const stores = new Set(
    pairs.flatMap(({ ours, theirs }) => [ours, theirs].flatMap((turns) => turns[0]?.about ?? [])),
  );
  return [
    ...odd.map(({ work, peer, status, reason }) => `${work}, ${peer}: ${status}: ${reason}`),
    ...[...works].map(([work, note]) => `${work}: ${note}.`),
    ...[...stores].map((store) => `${store}.`),
    ...new Set(starred.map(({ durability }) => `* ${durability}.`)),
  ];
}

function rate(rows: number): string {
  if (rows >= 1e6) return `${(rows / 1e6).toFixed(rows < 1e7 ? 2 : 1)} M/s`;
  return `${(rows / 1e3).toFixed(rows < 1e4 ? 1 : 0)} K/s`;
}

function size(spread: number): string {
  return `±${(spread * 100).toFixed(0)} %`;
}

/** Breaks a text into lines of at most `columns` characters. */
export function wrapped(text: string, columns: number): string {
  let [lines, line] = ["", ""];
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines += `${line}\n`;
      line = `  ${word}`;
    } else line += line === "" ? word : ` ${word}`;
  }
  return lines + line;
}
