import { LineFault, quote } from "./line-fault.ts";

/** Kinds of lines that describe a metric. */
export type MetadataKind = "HELP" | "TYPE" | "UNIT";

/** A line that describes a metric. */
export interface Metadata {
  readonly kind: MetadataKind;
  readonly metric: string;
  readonly text: string;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
// Runs of plain characters are matched as one: an alternative for each of them would take stack, and long names had not enough.
const QUOTED_NAME = /^"(?!")[^"\\]*(?:\\[\\"n][^"\\]*)*"$/;
const LOOSE =
  /^#[ \t]+(HELP|TYPE)(?:[ \t]+|$)("[^"\\]*(?:\\[^][^"\\]*)*"|[^ \t]*)(?:[ \t]+([^]*))?$/;
const STRICT = /^# (HELP|TYPE|UNIT) ("[^"\\]*(?:\\[^][^"\\]*)*"|[^ ]*)(?: ([^]*))?$/;

const CLASSIC_TYPES = ["counter", "gauge", "histogram", "summary"];
const TEXT_TYPES = new Set([
  ...CLASSIC_TYPES,
  "untyped",
  "unknown",
  "info",
  "stateset",
  "gaugehistogram",
]);
const OPEN_TYPES = new Set([...CLASSIC_TYPES, "unknown", "info", "stateset", "gaugehistogram"]);

/** Reads a comment of the text format: undefined when it says nothing about a metric. Throws a fault at byte 0. */
export function parseTextComment(text: string): Metadata | undefined {
  const match = LOOSE.exec(text);
  return match === null ? undefined : checked(match, TEXT_TYPES);
}

/** Reads a comment of OpenMetrics, which has no others. Throws a fault at byte 0. */
export function parseOpenComment(text: string): Metadata {
  const match = STRICT.exec(text);
  if (match === null) {
    throw new LineFault(0, `expected "# HELP", "# TYPE", "# UNIT" or "# EOF", got ${quote(text)}`);
  }
  const said = checked(match, OPEN_TYPES);
  const unit = said.kind === "UNIT" ? said.text : "";
  if (unit !== "" && !said.metric.endsWith(`_${unit}`)) {
    throw new LineFault(0, `unit ${quote(unit)} is not how ${quote(said.metric)} ends`);
  }
  return said;
}

function checked(match: RegExpExecArray, types: ReadonlySet<string>): Metadata {
  const [, word, name = "", said = ""] = match;
  const kind = word as MetadataKind;
  if (!NAME.test(name) && !QUOTED_NAME.test(name)) {
    throw new LineFault(0, `${kind} names no metric, got ${quote(name)}`);
  }
  const metric = name.startsWith('"') ? unescape(name.slice(1, -1)) : name;
  const text = kind === "TYPE" ? said.trimEnd() : said;
  if (kind === "TYPE" && !types.has(text)) {
    throw new LineFault(0, `${quote(text)} is not a metric's type`);
  }
  const isBroken = kind === "HELP" && /\\(?![\\n"])/.test(text.replaceAll("\\\\", ""));
  if (isBroken)
    throw new LineFault(0, `HELP of ${quote(metric)} holds a backslash that is no escape`);
  return { kind, metric, text };
}

function unescape(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, letter: string) => (letter === "n" ? "\n" : letter));
}
