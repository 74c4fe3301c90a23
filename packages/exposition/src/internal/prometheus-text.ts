import { HASH } from "./ascii.ts";
import { LineFault, quoteBytes } from "./line-fault.ts";
import { parseTextComment } from "./metadata.ts";
import type { ParserContext, RecordParser } from "./parser.ts";
import { noTime, SampleLine, skipBlanks } from "./sample-line.ts";
import { textOf } from "./text-of.ts";
import { readMillis } from "./time.ts";

/**
 * Parses lines of Prometheus' text format 0.0.4, UTF-8 names in quotes included: `name{l="v",…} value [ms]`.
 * Lines of one metric need not stand together.
 */
export function prometheusParser(context: ParserContext): RecordParser {
  return new PrometheusParser(context);
}

class PrometheusParser implements RecordParser {
  readonly isLost = false;
  readonly #context: ParserContext;
  readonly #line = new SampleLine({ isLoose: true, isNamed: true });

  constructor(context: ParserContext) {
    this.#context = context;
  }

  parse(bytes: Uint8Array, from: number, until: number): void {
    const start = skipBlanks(bytes, from, until);
    if (start === until) return;
    if (bytes[start] === HASH) {
      checkComment(bytes, start, until);
      return;
    }
    const { rows } = this.#context;
    const line = this.#line;
    const labels = line.series(bytes, start, until);
    line.at = skipBlanks(bytes, line.at, until);
    line.value(bytes, until, rows.values, rows.length);
    const timeAt = skipBlanks(bytes, line.at, until);
    rows.end(
      labels,
      timeAt === until ? this.#defaultTime(until) : this.#time(bytes, timeAt, until),
    );
  }

  finish(): void {}

  #time(bytes: Uint8Array, at: number, until: number): number {
    this.#line.at = at;
    const end = this.#line.token(bytes, until);
    const time = readMillis(bytes, at, end);
    if (Number.isNaN(time)) {
      throw new LineFault(
        at,
        `expected a time in whole milliseconds, got ${quoteBytes(bytes, at, end)}`,
      );
    }
    const rest = skipBlanks(bytes, end, until);
    if (rest < until) {
      throw new LineFault(
        rest,
        `expected the end of the line, got ${quoteBytes(bytes, rest, until)}`,
      );
    }
    return time;
  }

  #defaultTime(at: number): number {
    const { defaultTime } = this.#context;
    if (defaultTime === undefined) throw noTime(at);
    return defaultTime;
  }
}

function checkComment(bytes: Uint8Array, from: number, until: number): void {
  const text = textOf(bytes, from, until);
  try {
    parseTextComment(text);
  } catch (error) {
    if (error instanceof LineFault) throw new LineFault(from, error.message);
    throw error;
  }
}
