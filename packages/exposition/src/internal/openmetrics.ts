import { BRACE_OPEN, HASH, SPACE, startsWith } from "./ascii.ts";
import { readFloat } from "./float.ts";
import { LineFault, quoteBytes } from "./line-fault.ts";
import { parseOpenComment, type MetadataKind } from "./metadata.ts";
import type { ParserContext, RecordParser } from "./parser.ts";
import { noTime, SampleLine } from "./sample-line.ts";
import { textOf } from "./text-of.ts";
import { readSeconds } from "./time.ts";

const END = "# EOF";

/**
 * Parses lines of OpenMetrics 1.0: `name{l="v",…} value [seconds] [# {…} value [seconds]]`, and `# EOF` last.
 *
 * Strict about blanks, metadata and the end. Exemplars are checked, counted and left out. That a metric's lines
 * stand together is checked for its HELP, TYPE and UNIT only: more would need memory for every name.
 */
export function openMetricsParser(context: ParserContext): RecordParser {
  return new OpenMetricsParser(context);
}

class OpenMetricsParser implements RecordParser {
  readonly isLost = false;
  readonly #context: ParserContext;
  readonly #line = new SampleLine({ isLoose: false, isNamed: true });
  readonly #exemplar = new SampleLine({ isLoose: false, isNamed: false });
  readonly #exemplarValue = new Float64Array(1);
  readonly #family = new Family();
  #isEnded = false;

  constructor(context: ParserContext) {
    this.#context = context;
  }

  parse(bytes: Uint8Array, from: number, until: number): void {
    if (this.#isEnded) throw new LineFault(from, `nothing may follow "${END}"`);
    if (from === until) throw new LineFault(from, "OpenMetrics has no empty lines");
    if (bytes[from] === HASH) {
      this.#comment(bytes, from, until);
      return;
    }
    const { rows, counts } = this.#context;
    const line = this.#line;
    const labels = line.series(bytes, from, until);
    takeSpace(line, bytes, until, "value");
    line.value(bytes, until, rows.values, rows.length);
    const timed = line.at < until && !startsWith(bytes, line.at, until, " # ");
    const time = timed ? timeOf(line, bytes, until) : this.#defaultTime(line.at);
    if (line.at < until) {
      this.#checkExemplar(bytes, line.at, until);
      counts.exemplars += 1;
    }
    rows.end(labels, time);
    this.#family.isSampled = true;
  }

  finish(): void {
    if (!this.#isEnded)
      throw new LineFault(0, `the input does not end with "${END}": it is cut off`);
  }

  #comment(bytes: Uint8Array, from: number, until: number): void {
    if (until - from === END.length && startsWith(bytes, from, until, END)) {
      this.#isEnded = true;
      return;
    }
    const text = textOf(bytes, from, until);
    try {
      const { kind, metric } = parseOpenComment(text);
      this.#family.add(kind, metric);
    } catch (error) {
      if (error instanceof LineFault) throw new LineFault(from, error.message);
      throw error;
    }
  }

  #checkExemplar(bytes: Uint8Array, from: number, until: number): void {
    if (!startsWith(bytes, from, until, " # ") || bytes[from + 3] !== BRACE_OPEN) {
      throw new LineFault(from, `expected an exemplar, got ${quoteBytes(bytes, from, until)}`);
    }
    const exemplar = this.#exemplar;
    exemplar.series(bytes, from + 3, until);
    takeSpace(exemplar, bytes, until, "exemplar's value");
    const at = exemplar.at;
    if (!readFloat(bytes, at, exemplar.token(bytes, until), this.#exemplarValue, 0)) {
      const got = quoteBytes(bytes, at, exemplar.at);
      throw new LineFault(at, `expected an exemplar's value, got ${got}`);
    }
    if (exemplar.at < until) timeOf(exemplar, bytes, until);
    if (exemplar.at < until) {
      const got = quoteBytes(bytes, exemplar.at, until);
      throw new LineFault(exemplar.at, `expected the end of the line, got ${got}`);
    }
  }

  #defaultTime(at: number): number {
    const { defaultTime } = this.#context;
    if (defaultTime === undefined) throw noTime(at);
    return defaultTime;
  }
}

/** The metric that HELP, TYPE and UNIT lines speak of at the moment. */
class Family {
  isSampled = false;
  #metric = "";
  readonly #kinds = new Set<MetadataKind>();

  add(kind: MetadataKind, metric: string): void {
    if (metric !== this.#metric) {
      this.#metric = metric;
      this.#kinds.clear();
      this.isSampled = false;
    }
    if (this.isSampled) throw new LineFault(0, `${kind} of ${metric} comes after its samples`);
    if (this.#kinds.has(kind)) throw new LineFault(0, `${metric} has a second ${kind}`);
    this.#kinds.add(kind);
  }
}

/** Reads the one space that stands before a part. */
function takeSpace(line: SampleLine, bytes: Uint8Array, until: number, part: string): void {
  if (line.at === until) throw new LineFault(until, `the sample has no ${part}`);
  if (bytes[line.at] !== SPACE) {
    const got = quoteBytes(bytes, line.at, until);
    throw new LineFault(line.at, `expected one space before the ${part}, got ${got}`);
  }
  line.at += 1;
}

/** Reads a space and a time in seconds. */
function timeOf(line: SampleLine, bytes: Uint8Array, until: number): number {
  takeSpace(line, bytes, until, "time");
  const at = line.at;
  const time = readSeconds(bytes, at, line.token(bytes, until));
  if (Number.isNaN(time)) {
    throw new LineFault(at, `expected a time in seconds, got ${quoteBytes(bytes, at, line.at)}`);
  }
  return time;
}
