import type { Labels } from "@varve/contracts";
import { quote } from "./lines.ts";

const METRIC_NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const TOKEN = /[^ \t]+/y;
const BLANKS = /[ \t]*/y;

/** The label that holds a metric's name. */
const NAME_LABEL = "__name__";

/** A sample line, taken apart: numbers are still text. */
export interface SampleLine {
  readonly labels: Labels;
  readonly value: string;
  readonly time: string | undefined;
}

/** What is wrong with a line. The reader adds where. */
export class LineError extends Error {}

/** Takes a sample line of Prometheus' text format apart: `name{label="value",…} value [time]`. */
export function parseSampleLine(text: string): SampleLine {
  const cursor = new Cursor(text);
  const labels = new Map<string, string>();
  const name = cursor.match(METRIC_NAME);
  if (name !== undefined) labels.set(NAME_LABEL, name);
  cursor.skipBlanks();
  if (cursor.take("{")) parseLabels(cursor, labels);
  if (!labels.has(NAME_LABEL)) throw new LineError(`expected a metric's name, got ${quote(text)}`);
  cursor.skipBlanks();
  const value = cursor.match(TOKEN);
  if (value === undefined) throw new LineError("the sample has no value");
  cursor.skipBlanks();
  const time = cursor.match(TOKEN);
  cursor.skipBlanks();
  if (cursor.rest !== "")
    throw new LineError(`expected the end of the line, got ${quote(cursor.rest)}`);
  return { labels: Object.fromEntries(labels), value, time };
}

/** Undoes the escapes of label values, or of help texts, in which quotes are not escaped. */
export function unescape(text: string, quotes: boolean): string {
  if (!text.includes("\\")) return text;
  return text.replaceAll(/\\(.?)/gs, (escape, letter: string) => {
    if (letter === "n") return "\n";
    if (letter === "\\" || (quotes && letter === '"')) return letter;
    throw new LineError(`${quote(escape)} is not an escape`);
  });
}

/** Labels between braces, the opening one taken. A quoted string alone is the metric's name. */
function parseLabels(cursor: Cursor, labels: Map<string, string>): void {
  for (;;) {
    cursor.skipBlanks();
    if (cursor.take("}")) return;
    const quoted = cursor.match(QUOTED);
    const name = quoted === undefined ? cursor.match(LABEL_NAME) : unescape(quoted, true);
    if (name === undefined)
      throw new LineError(`expected a label's name, got ${quote(cursor.rest)}`);
    if (name === "") throw new LineError("a name is empty");
    cursor.skipBlanks();
    if (cursor.take("=")) {
      cursor.skipBlanks();
      const value = cursor.match(QUOTED);
      if (value === undefined) {
        throw new LineError(
          `expected label ${quote(name)}'s value in quotes, got ${quote(cursor.rest)}`,
        );
      }
      addLabel(labels, name, unescape(value, true));
    } else if (quoted !== undefined) {
      addLabel(labels, NAME_LABEL, name);
    } else {
      throw new LineError(`expected "=" after label ${quote(name)}, got ${quote(cursor.rest)}`);
    }
    cursor.skipBlanks();
    if (cursor.take(",")) continue;
    if (cursor.take("}")) return;
    throw new LineError(`expected "," or "}", got ${quote(cursor.rest)}`);
  }
}

function addLabel(labels: Map<string, string>, name: string, value: string): void {
  if (labels.has(name)) throw new LineError(`label ${quote(name)} is there twice`);
  labels.set(name, value);
}

class Cursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.skipBlanks();
  }

  get rest(): string {
    return this.#text.slice(this.#at);
  }

  skipBlanks(): void {
    this.match(BLANKS);
  }

  take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  /** Takes what a sticky pattern matches here: its first group, or all of it. */
  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[1] ?? match[0];
  }
}
