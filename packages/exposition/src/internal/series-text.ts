import type { Labels } from "@varve/contracts";
import { BACKSLASH, NEWLINE, QUOTE } from "./ascii.ts";
import { addLabel, labelsFrom, NAME_LABEL } from "./label-set.ts";
import { LineFault, quote } from "./line-fault.ts";
import { bytesBefore, textOf } from "./text-of.ts";

const METRIC_NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const BLANKS = /[ \t]*/y;

/** How strictly a series' text is read. */
export interface SeriesStyle {
  /** Blanks may stand between the parts, and a comma before the closing brace: 0.0.4 has them, OpenMetrics does not. */
  readonly isLoose: boolean;
  /** A series needs a metric's name. */
  readonly isNamed: boolean;
}

/**
 * Parses `name{label="value",…}`, and UTF-8 names in quotes: `{"my.metric","l.x"="v"}`.
 * Throws a fault at the byte where the text stops to be one.
 */
export function parseSeries(
  bytes: Uint8Array,
  from: number,
  until: number,
  style: SeriesStyle,
): Labels {
  const text = textOf(bytes, from, until);
  const parser = new SeriesParser(text, style);
  try {
    return parser.parse();
  } catch (error) {
    if (!(error instanceof LineFault)) throw error;
    throw new LineFault(from + bytesBefore(text, error.at), error.message);
  }
}

class SeriesParser {
  readonly #text: string;
  readonly #style: SeriesStyle;
  readonly #labels = new Map<string, string>();
  #at = 0;

  constructor(text: string, style: SeriesStyle) {
    this.#text = text;
    this.#style = style;
  }

  parse(): Labels {
    const name = this.#match(METRIC_NAME);
    if (name !== undefined) this.#labels.set(NAME_LABEL, name);
    this.#skipBlanks();
    if (this.#take("{")) this.#parseLabels();
    this.#skipBlanks();
    if (this.#at < this.#text.length) {
      throw this.#fault(
        name === undefined ? "expected a metric's name" : 'expected "{" or the end of the series',
      );
    }
    if (this.#style.isNamed && !this.#labels.has(NAME_LABEL)) {
      throw new LineFault(0, "the series has no metric's name");
    }
    return labelsFrom(this.#labels);
  }

  /** Labels between braces, the opening one taken. A quoted string alone is the metric's name. */
  #parseLabels(): void {
    if (this.#closes()) return;
    for (;;) {
      this.#parseLabel();
      if (this.#closes()) return;
      if (!this.#take(",")) throw this.#fault('expected "," or "}"');
      if (this.#style.isLoose && this.#closes()) return;
    }
  }

  #closes(): boolean {
    this.#skipBlanks();
    return this.#take("}");
  }

  #parseLabel(): void {
    this.#skipBlanks();
    const start = this.#at;
    const quoted = this.#takeQuoted();
    const name = quoted === undefined ? this.#match(LABEL_NAME) : this.#unescape(quoted, start);
    if (name === undefined) throw this.#fault("expected a label's name");
    this.#skipBlanks();
    if (!this.#take("=")) {
      if (quoted === undefined) throw this.#fault(`expected "=" after label ${quote(name)}`);
      if (name === "") throw new LineFault(start, "a metric's name is empty");
      this.#add(NAME_LABEL, name, start);
      return;
    }
    this.#skipBlanks();
    const valueAt = this.#at;
    const value = this.#takeQuoted();
    if (value === undefined) throw this.#fault(`expected label ${quote(name)}'s value in quotes`);
    this.#add(name, this.#unescape(value, valueAt), start);
  }

  #add(name: string, value: string, at: number): void {
    const problem = addLabel(this.#labels, name, value);
    if (problem !== undefined) throw new LineFault(at, problem);
  }

  #unescape(text: string, at: number): string {
    if (!text.includes("\\")) return text;
    return text.replaceAll(/\\([^])/g, (escape, letter: string) => {
      if (letter === "n") return "\n";
      if (letter === "\\" || letter === '"') return letter;
      throw new LineFault(at, `${quote(escape)} is not an escape`);
    });
  }

  #skipBlanks(): void {
    if (this.#style.isLoose) this.#match(BLANKS);
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  /**
   * Takes a string in quotes, and returns what is between them, escapes as they are. Undefined when none begins here, or it
   * does not end in its line. By hand: an expression takes stack for each character, and long values had not enough.
   */
  #takeQuoted(): string | undefined {
    const text = this.#text;
    const from = this.#at + 1;
    if (text[this.#at] !== '"') return undefined;
    for (let at = from; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      if (unit === BACKSLASH) at += 1;
      else if (unit === NEWLINE) return undefined;
      else if (unit === QUOTE) {
        this.#at = at + 1;
        return text.slice(from, at);
      }
    }
    return undefined;
  }

  /** Takes what a sticky pattern matches here: its first group, or all of it. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[1] ?? match[0];
  }

  #fault(reason: string): LineFault {
    const rest = this.#text.slice(this.#at);
    return new LineFault(this.#at, `${reason}, got ${rest === "" ? "the end" : quote(rest)}`);
  }
}
