import type { Labels } from "@varve/contracts";
import { LineError, parseSampleLine, unescape } from "./exposition-line.ts";
import { parseGoFloat } from "./go-float.ts";
import { inputError, quote, readLines } from "./lines.ts";

/** The kinds of metrics that a TYPE line may name, those of OpenMetrics among them. */
const TYPES = new Set([
  "counter",
  "gauge",
  "histogram",
  "summary",
  "untyped",
  "unknown",
  "info",
  "stateset",
  "gaugehistogram",
]);

/** What HELP and TYPE lines say about a metric. */
export interface MetricFamily {
  readonly type: string;
  readonly help: string;
}

/** The samples of an exposition, in its order: sample i is labels[i], times[i], values[i]. */
export interface Exposition {
  /** The metric's name is the label `__name__`. */
  readonly labels: readonly Labels[];
  /** Milliseconds since the epoch; NaN where a line has no time. */
  readonly times: Float64Array;
  /** NaN has the bits that Prometheus gives it: 7ff8000000000001. */
  readonly values: Float64Array;
  /** By the names in the HELP and TYPE lines. */
  readonly families: ReadonlyMap<string, MetricFamily>;
}

/**
 * Reads a file in Prometheus' text format 0.0.4, UTF-8 names in quotes included.
 *
 * Numbers are read as Go's ParseFloat reads them. Throws INPUT, naming file and line, at the first
 * malformed line. Lines of one metric need not stand together. `.gz` and `.zst` files are unpacked.
 */
export async function readExposition(path: string): Promise<Exposition> {
  const reader = new ExpositionReader();
  let line = 0;
  for await (const text of readLines(path)) {
    line += 1;
    try {
      reader.add(text);
    } catch (error) {
      if (error instanceof LineError) throw inputError(path, line, error.message);
      throw error;
    }
  }
  return reader.finish();
}

class ExpositionReader {
  readonly #labels: Labels[] = [];
  readonly #families = new Map<string, MetricFamily>();
  #times = new Float64Array(1024);
  #values = new Float64Array(1024);

  add(text: string): void {
    const trimmed = text.trimStart();
    if (trimmed === "") return;
    if (trimmed.startsWith("#")) this.#addComment(trimmed);
    else this.#addSample(trimmed);
  }

  finish(): Exposition {
    const count = this.#labels.length;
    return {
      labels: this.#labels,
      times: this.#times.slice(0, count),
      values: this.#values.slice(0, count),
      families: this.#families,
    };
  }

  #addSample(text: string): void {
    const { labels, value, time } = parseSampleLine(text);
    const at = this.#labels.length;
    if (at === this.#values.length) this.#grow();
    if (!parseGoFloat(value, this.#values, at)) {
      throw new LineError(`expected a value, got ${quote(value)}`);
    }
    this.#times[at] = time === undefined ? Number.NaN : parseTime(time);
    this.#labels.push(labels);
  }

  /** A HELP or a TYPE line says something; any other comment does not. */
  #addComment(text: string): void {
    const match = /^#[ \t]+(HELP|TYPE)(?:[ \t]+(\S+)(?:[ \t](.*))?)?$/s.exec(text);
    if (match === null) return;
    const [, kind, quotedName, said = ""] = match;
    if (quotedName === undefined) throw new LineError(`${kind} has no metric's name`);
    const name = nameOf(quotedName);
    const known = this.#families.get(name) ?? { type: "untyped", help: "" };
    if (kind === "HELP") {
      this.#families.set(name, { ...known, help: unescape(said, false) });
      return;
    }
    const type = said.trim();
    if (!TYPES.has(type)) throw new LineError(`${quote(type)} is not a metric's type`);
    this.#families.set(name, { ...known, type });
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2);
    const values = new Float64Array(this.#values.length * 2);
    times.set(this.#times);
    values.set(this.#values);
    this.#times = times;
    this.#values = values;
  }
}

function nameOf(text: string): string {
  return text.startsWith('"') && text.endsWith('"') ? unescape(text.slice(1, -1), true) : text;
}

function parseTime(text: string): number {
  const time = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(time)) return time + 0; // "-0" is 0.
  throw new LineError(`expected a time in whole milliseconds, got ${quote(text)}`);
}
