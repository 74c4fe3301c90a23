/** What is drawn: columns of one series. */
export interface Curve {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** Dots of a braille cell, by column and row: https://www.unicode.org/charts/PDF/U2800.pdf */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;
const BRAILLE = 0x2800;

export interface PlotOptions {
  /** Characters, the axis included. */
  readonly width: number;
  readonly height: number;
}

/**
 * Draws curves into one frame of braille dots, each sample a dot, joined where neighbours lie columns apart. Empty when
 * there is no finite value.
 */
export function plot(curves: readonly Curve[], { width, height }: PlotOptions): string {
  const range = rangeOf(curves);
  if (range === undefined) return "";
  const labels = axisLabels(range, height);
  const margin = Math.max(...Array.from(labels.values(), (label) => label.length)) + 2;
  const canvas = new Canvas(Math.max(8, width - margin), height);
  for (const curve of curves) draw(canvas, curve, range);
  const rows = canvas.lines();
  return rows.map((row, at) => `${(labels.get(at) ?? "").padStart(margin - 2)} ┤${row}`).join("\n");
}

/** What stands before which rows: the highest value, the middle and the lowest; once when they are the same. */
function axisLabels({ low, high }: Range, height: number): Map<number, string> {
  const middle = Math.floor((height - 1) / 2);
  if (low === high) return new Map([[middle, axisLabel(low)]]);
  return new Map([
    [0, axisLabel(high)],
    [middle, axisLabel(high / 2 + low / 2)],
    [height - 1, axisLabel(low)],
  ]);
}

interface Range {
  readonly from: number;
  readonly until: number;
  readonly low: number;
  readonly high: number;
}

function rangeOf(curves: readonly Curve[]): Range | undefined {
  let [from, until, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { times, values } of curves) {
    for (let i = 0; i < times.length; i += 1) {
      const value = values[i]!;
      if (!Number.isFinite(value)) continue;
      from = Math.min(from, times[i]!);
      until = Math.max(until, times[i]!);
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return from > until ? undefined : { from, until, low, high };
}

function draw(canvas: Canvas, { times, values }: Curve, range: Range): void {
  let [lastX, lastY] = [-1, -1];
  for (let i = 0; i < times.length; i += 1) {
    if (!Number.isFinite(values[i]!)) {
      lastX = -1; // A gap: the stale marker ends a line.
      continue;
    }
    const x = place(times[i]!, range.from, range.until, canvas.columns);
    const y = canvas.rows - 1 - place(values[i]!, range.low, range.high, canvas.rows);
    if (lastX >= 0) canvas.line(lastX, lastY, x, y);
    else canvas.dot(x, y);
    [lastX, lastY] = [x, y];
  }
}

/** Which of `count` places a value takes; the middle one when there is only one value. Halves first: no overflow. */
function place(value: number, low: number, high: number, count: number): number {
  const span = high / 2 - low / 2;
  if (span <= 0) return Math.floor((count - 1) / 2);
  return Math.min(count - 1, Math.round(((value / 2 - low / 2) / span) * (count - 1)));
}

function axisLabel(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e7 ? String(value) : value.toPrecision(4);
}

class Canvas {
  readonly columns: number;
  readonly rows: number;
  readonly #cells: Uint8Array;
  readonly #width: number;

  constructor(width: number, height: number) {
    this.columns = width * 2;
    this.rows = height * 4;
    this.#width = width;
    this.#cells = new Uint8Array(width * height);
  }

  dot(x: number, y: number): void {
    this.#cells[(y >> 2) * this.#width + (x >> 1)]! |= DOTS[x & 1]![y & 3]!;
  }

  line(fromX: number, fromY: number, x: number, y: number): void {
    const steps = Math.max(1, Math.abs(x - fromX), Math.abs(y - fromY));
    for (let step = 0; step <= steps; step += 1) {
      const share = step / steps;
      this.dot(Math.round(fromX + (x - fromX) * share), Math.round(fromY + (y - fromY) * share));
    }
  }

  lines(): string[] {
    const lines: string[] = [];
    for (let at = 0; at < this.#cells.length; at += this.#width) {
      const row = this.#cells.subarray(at, at + this.#width);
      const text = Array.from(row, (dots) => String.fromCodePoint(BRAILLE + dots)).join("");
      lines.push(text.replace(/\u2800+$/, "")); // Cells without a dot.
    }
    return lines;
  }
}
