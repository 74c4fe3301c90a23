import type { SampleFormat } from "./format.ts";

const BY_EXTENSION: Readonly<Record<string, SampleFormat>> = {
  prom: "prometheus",
  om: "openmetrics",
  openmetrics: "openmetrics",
  csv: "csv",
  jsonl: "jsonl",
  ndjson: "jsonl",
};
/** Endings that say how a file is packed, not what it holds. */
const PACKED = /\.(?:gz|zst)$/i;

/** A brace, and a member's name with a colon behind it. In an exposition, quoted names are followed by `=`, `,` or `}`. */
const JSON_LINE = /^\{\s*"(?:[^"\\]|\\.)*"\s*:/;
/** What only OpenMetrics has: its end, units, its own types, times with a fraction, exemplars. */
const OPEN_ONLY =
  /^# EOF$|^# UNIT |^# TYPE \S+ (?:unknown|info|stateset|gaugehistogram)$|^[^#\s][^\n]* \d+\.\d+(?: # \{[^\n]*)?$/m;
const SAMPLE =
  /^(?:[a-zA-Z_:][a-zA-Z0-9_:]*[ \t]*(?:\{[^\n]*\})?|\{"[^\n]*\})[ \t]+[^ \t\n]+(?:[ \t]|$)/m;
const COMMENT = /^#[ \t]/;

/**
 * Tells the format of a file by its name's ending, and by its first bytes (a few KiB) where the name says
 * nothing. `lastBytes`, where a caller has them, tell OpenMetrics, which ends `# EOF`, from Prometheus text.
 * Undefined when neither says anything: ask.
 */
export function detectFormat(
  firstBytes: Uint8Array,
  fileName = "",
  lastBytes: Uint8Array = new Uint8Array(0),
): SampleFormat | undefined {
  const extension = /\.([^./\\]+)$/.exec(fileName.replace(PACKED, ""))?.[1]?.toLowerCase() ?? "";
  if (Object.hasOwn(BY_EXTENSION, extension)) return BY_EXTENSION[extension];
  const text = textOf(firstBytes).trimStart();
  if (JSON_LINE.test(text)) return "jsonl";
  if (isCsvHeader(/^[^\r\n]*/.exec(text)![0])) return "csv";
  const isExposition = COMMENT.test(text) || SAMPLE.test(text);
  if (!isExposition) return undefined;
  const isOpen = /\n# EOF\n?$/.test(textOf(lastBytes)) || OPEN_ONLY.test(text);
  return isOpen ? "openmetrics" : "prometheus";
}

function isCsvHeader(line: string): boolean {
  const names = line.split(",").map((name) => name.replace(/^"(.*)"$/, "$1"));
  return names.includes("time") && names.includes("value");
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("utf8")
    .replace(/^\ufeff/, "");
}
