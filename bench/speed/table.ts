import { table } from "../peers/report.ts";
import { wrapped } from "../peers/ingest/report.ts";
import type { Judged, SpeedRow } from "./rows.ts";
import type { Unit } from "./work.ts";
import { WORKS } from "./works.ts";

/** Columns of what is printed. */
const COLUMNS = 96;
const HEAD = ["", "value", "beside", "ratio", "spread", "must", "aim"];

/** A line for each figure, under the name of its work; then why some are missing, and what each work is. */
export function reportOf(rows: readonly SpeedRow[]): string {
  return [reportTable(rows), "", LEGEND, "", ...notesOf(rows)].join("\n");
}

/** The lines alone. */
export function reportTable(rows: readonly SpeedRow[]): string {
  const lines: string[][] = [];
  for (const [i, row] of rows.entries()) {
    if (row.work !== rows[i - 1]?.work) lines.push([row.work]);
    lines.push(lineOf(row));
  }
  return table(HEAD, lines, 1);
}

/** Rows whose figure misses what it must be, or that have none though they could. */
export function missedOf(rows: readonly SpeedRow[]): SpeedRow[] {
  return rows.filter(({ must, status }) => must?.isMet === false || status === "failed");
}

function lineOf(row: SpeedRow): string[] {
  const { what, value, other, unit, ratio, spread, must, aim, status } = row;
  if (value === null) return [`  ${what}`, status];
  return [
    `  ${what}`,
    figure(value, unit),
    other === null ? "" : figure(other, unit),
    ratio === null ? "" : `${short(ratio)}x`,
    row.values.length > 1 || (spread ?? 0) > 0 ? `±${((spread ?? 0) * 100).toFixed(0)} %` : "",
    targetText(must, unit),
    targetText(aim, unit),
  ];
}

function targetText(target: Judged | null, unit: Unit): string {
  if (target === null) return "";
  const { op, limit, of, isMet } = target;
  const text = of === "ratio" ? `${limit}x` : figure(limit, unit).replace("/s", "");
  return `${op} ${text} ${isMet === true ? "met" : "MISSED"}`;
}

function notesOf(rows: readonly SpeedRow[]): string[] {
  const odd = new Set(
    rows
      .filter(({ reason }) => reason !== null)
      .map(({ work, status, reason }) => `${work}: ${status}: ${reason}`),
  );
  const works = [...new Set(rows.map(({ work }) => work))].map((work) => {
    const { about, durability } = WORKS[work];
    return `${work}: ${about}. Durability: ${durability}.`;
  });
  return [...odd, ...works].map((line) => wrapped(line, COLUMNS));
}

/** A number with its unit, in few characters. */
export function figure(value: number, unit: Unit): string {
  if (unit === "rows/s") return `${rate(value)}/s`;
  if (unit === "µs" && value >= 1000) return `${short(value / 1000)} ms`;
  if (unit === "ns" && value >= 10_000) return `${short(value / 1000)} µs`;
  if (unit === "x" || unit === "") return `${short(value)}${unit}`;
  return `${short(value)} ${unit}`;
}

function rate(rows: number): string {
  return rows >= 1e6 ? `${short(rows / 1e6)} M` : `${short(rows / 1e3)} K`;
}

/** Three digits where there are fewer, and no needless ones behind the point. */
function short(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}

const LEGEND = `Values are medians of the turns; the spread is theirs, or the larger one of both sides where there
is a ratio. A ratio says how many times faster than what stands beside it; at tails and growth,
what multiple of it.`;
