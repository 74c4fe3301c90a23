import type { Random } from "@varve/bytes";
import type { Labels } from "@varve/contracts";
import type { SampleFormat } from "@varve/exposition";

/** A sample as text names it. */
export interface TextRow {
  readonly labels: Labels;
  readonly time: number;
  /** Of its value. */
  readonly bits: bigint;
}

const ROWS_MAX = 12;
const METRICS = ["up", "upper", "a:b", "http_requests_total", "my.metric", "ü"];
const NAMES = ["host", "le", "my.label", "ü", "__proto__", "a"];
const VALUES = [
  "a",
  'say "hi"',
  "back\\slash",
  "two\nlines",
  "🜚",
  "x".repeat(80),
  " ",
  ",}",
  "null",
];

/** How numbers are spelled, and what they are. */
const SPELLINGS: readonly (readonly [string, number])[] = [
  ["0", 0],
  ["-0", -0],
  ["1", 1],
  ["1.5", 1.5],
  ["1e3", 1000],
  ["1.25E+02", 125],
  ["-2.5e-3", -0.0025],
  [".5", 0.5],
  ["5.", 5],
  ["0x1p-2", 0.25],
  ["0X1.8P1", 3],
  ["123456789012345678", 123456789012345680],
  ["0.1", 0.1],
  ["4.9e-324", 5e-324],
  ["1.7976931348623157e308", 1.7976931348623157e308],
  ["+Inf", Infinity],
  ["-inf", -Infinity],
  ["Infinity", Infinity],
  ["00012", 12],
  ["12345678901234567890e-10", Number("1234567890.123456789")],
];
const NAN_BITS = 0x7ff8_0000_0000_0001n;
const VALUE = new Float64Array(1);
const BITS = new BigUint64Array(VALUE.buffer);

function bitsOf(value: number): bigint {
  VALUE[0] = value;
  return BITS[0]!;
}

function numberOf(bits: bigint): number {
  BITS[0] = bits;
  return VALUE[0]!;
}

export function drawTextRows(format: SampleFormat, random: Random): TextRow[] {
  const rows: TextRow[] = [];
  let labels = drawLabels(random);
  const isAnyBits = format === "csv" || format === "jsonl";
  for (let left = 1 + random.below(ROWS_MAX); left > 0; left -= 1) {
    if (random.chance(0.5)) labels = drawLabels(random);
    let bits = bitsOf(random.pick(SPELLINGS)[1]);
    if (random.chance(0.2)) bits = NAN_BITS;
    if (random.chance(0.2)) bits = bitsOf(random.below(2 ** 40) / 1024);
    if (isAnyBits && random.chance(0.1)) bits = 0x7ff0_0000_0000_0002n;
    const time = random.chance(0.9)
      ? 1_700_000_000_000 + random.below(1e6)
      : random.pick([0, -1, -1500, 2 ** 53 - 1]);
    rows.push({ labels, time, bits });
  }
  return rows;
}

function drawLabels(random: Random): Labels {
  const entries: [string, string][] = [["__name__", random.pick(METRICS)]];
  for (let left = random.below(4); left > 0; left -= 1) {
    entries.push([random.pick(NAMES), random.pick(VALUES)]);
  }
  return Object.fromEntries(entries);
}

/** Writes rows by hand, in every spelling that a format has for the same thing. */
export function linesOf(format: SampleFormat, rows: readonly TextRow[], random: Random): string {
  const lines = rows.map((row) => lineOf(format, row, random));
  if (format === "csv") return `series,time,value\n${lines.join("\n")}\n`;
  if (format === "jsonl") return `${lines.join("\n")}\n`;
  if (format === "openmetrics") return `# TYPE other counter\n${lines.join("\n")}\n# EOF\n`;
  const comments = ["", "# a comment", "# HELP up what \\\\ it is", "# TYPE up gauge", "#"];
  return lines
    .map((line) => (random.chance(0.2) ? `${random.pick(comments)}\n${line}` : line))
    .join("\n");
}

function lineOf(format: SampleFormat, { labels, time, bits }: TextRow, random: Random): string {
  const value = numberText(bits, random);
  const series = seriesText(labels, format === "prometheus" && random.chance(0.2));
  if (format === "prometheus") {
    const blank = random.pick([" ", "\t", "  "]);
    return `${random.chance(0.1) ? " " : ""}${series}${blank}${value}${blank}${time}${random.chance(0.1) ? " " : ""}`;
  }
  if (format === "openmetrics") {
    const exemplar = random.chance(0.2) ? ' # {trace_id="x"} 0.5 1.5' : "";
    return `${series} ${value} ${secondsText(time)}${exemplar}`;
  }
  const exact = bits === 0x7ff0_0000_0000_0002n ? "0x7ff0000000000002" : value;
  if (format === "csv") return `"${series.replaceAll('"', '""')}",${time},${exact}`;
  const isPlain = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(exact);
  return `{"labels":${JSON.stringify(labels)},"time":${time},"value":${isPlain ? exact : JSON.stringify(exact)}}`;
}

function numberText(bits: bigint, random: Random): string {
  if (bits === NAN_BITS) return random.pick(["NaN", "nan"]);
  const spelled = SPELLINGS.filter(([, number]) => bitsOf(number) === bits);
  return spelled.length > 0 ? random.pick(spelled)[0] : String(numberOf(bits));
}

function secondsText(time: number): string {
  const size = String(Math.abs(time)).padStart(4, "0");
  return `${time < 0 ? "-" : ""}${size.slice(0, -3)}.${size.slice(-3)}`;
}

function seriesText(labels: Labels, isLoose: boolean): string {
  const metric = labels["__name__"]!;
  const isPlain = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(metric);
  const names = Object.keys(labels).filter((name) => name !== "__name__");
  const parts = names.map((name) => {
    const isIdentifier = /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name);
    const blank = isLoose ? " " : "";
    return `${isIdentifier ? name : quoted(name)}${blank}=${blank}${quoted(labels[name]!)}`;
  });
  if (!isPlain) parts.unshift(quoted(metric));
  if (isPlain && parts.length === 0 && !isLoose) return metric;
  const comma = isLoose && parts.length > 0 ? "," : "";
  return `${isPlain ? metric : ""}{${parts.join(",")}${comma}}`;
}

function quoted(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `"${escaped}"`;
}
