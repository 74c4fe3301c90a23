import { crc32c, type Random } from "@varve/bytes";
import { isStorageError, type StorageError } from "@varve/contracts";
import {
  type BadLine,
  readSamples,
  SAMPLE_FORMATS,
  type SampleFormat,
  type SeriesSamples,
  writeSamples,
} from "@varve/exposition";
import { Broken, type Row } from "../../row.ts";
import { mutate } from "./bytes.ts";
import { drawTextRows, linesOf, type TextRow } from "./drawn-text.ts";
import { fuzzRow, type FuzzTarget, Refusal, type Sound } from "./fuzz-row.ts";

interface SoundText extends Sound {
  readonly rows: readonly TextRow[];
}

/** What a reading gives. */
interface ReadText {
  readonly rows: readonly TextRow[];
  readonly bad: readonly BadLine[];
  /** What ended it; null for the end of the text. */
  readonly error: StorageError | null;
}

const DEFAULT_TIME = 1_700_000_000_000;
/** Short, so that some lines are longer. */
const LINE_BYTES_MAX = 2000;
/** One that stands alone: with `u`, pairs are one character. */
const SURROGATE = /\p{Surrogate}/u;
const NAMES: Readonly<Record<SampleFormat, string>> = {
  prometheus: "Prometheus text",
  openmetrics: "OpenMetrics",
  csv: "CSV",
  jsonl: "JSON lines",
};

/** Texts of all formats. */
export const TEXT_ROWS: readonly Row[] = SAMPLE_FORMATS.map((format) =>
  fuzzRow(format, NAMES[format], () => targetOf(format)),
);

function targetOf(format: SampleFormat): FuzzTarget<SoundText, ReadText> {
  return {
    codes: [],
    make(random) {
      const rows = drawTextRows(format, random);
      return { rows, bytes: Buffer.from(linesOf(format, rows, random)) };
    },
    change: changeLines,
    decode: (bytes) => read(format, [bytes], isStrict(bytes)),
    async judge(found, { bytes, origin, isIntact }) {
      if (found instanceof Refusal) throw new Broken("wrong", "no refusal gets here");
      for (const row of found.rows) judgeRow(row);
      if (isIntact) compare(found, { rows: origin.rows, bad: [], error: null }, "what was written");
      const sum = crc32c(bytes, 0, bytes.length);
      if (sum % 4 === 0) {
        const inPieces = await read(format, piecesOf(bytes, 1 + (sum % 61)), isStrict(bytes));
        compare(inPieces, found, "the text at once");
      }
      if (sum % 4 === 1) await writeAnew(format, found.rows);
    },
  };
}

/** Some inputs end at the first malformed line; the others go on behind it. */
function isStrict(bytes: Uint8Array): boolean {
  return crc32c(bytes, 0, bytes.length) % 5 === 0;
}

async function read(
  format: SampleFormat,
  pieces: readonly Uint8Array[],
  isStrict: boolean,
): Promise<ReadText> {
  const rows: TextRow[] = [];
  const bad: BadLine[] = [];
  const source = (async function* () {
    yield* pieces;
  })();
  const reader = readSamples(format, source, {
    defaultTime: DEFAULT_TIME,
    skipBad: !isStrict,
    onBad: (line) => bad.push(line),
    lineBytesMax: LINE_BYTES_MAX,
  });
  try {
    for await (const { labels, times, values, length } of reader) {
      const bits = new BigUint64Array(values.buffer, values.byteOffset, length);
      for (let i = 0; i < length; i += 1) {
        rows.push({ labels: labels[i]!, time: times[i]!, bits: bits[i]! });
      }
    }
  } catch (error) {
    if (!isStorageError(error, "INPUT")) throw error;
    return { rows, bad, error };
  }
  return { rows, bad, error: null };
}

function judgeRow({ labels, time, bits }: TextRow): void {
  const entries = Object.entries(labels);
  const isSound =
    Number.isSafeInteger(time) &&
    !Object.is(time, -0) &&
    bits >= 0n &&
    entries.every(([name, value]) => name !== "" && value !== "" && typeof value === "string") &&
    entries.every(([name, value]) => !SURROGATE.test(name + value));
  if (!isSound) throw new Broken("wrong", `a row is ${textOf({ labels, time, bits })}`);
}

/** What was read is written by our own writer, and read once more. */
async function writeAnew(format: SampleFormat, rows: readonly TextRow[]): Promise<void> {
  if (rows.length === 0) return;
  const series = rows.map(({ labels, time, bits }): SeriesSamples => {
    const values = new Float64Array(1);
    new BigUint64Array(values.buffer)[0] = bits;
    return { labels, times: Float64Array.of(time), values };
  });
  const pieces: Uint8Array[] = [];
  for await (const piece of writeSamples(format, series)) pieces.push(Buffer.from(piece));
  const found = await read(format, pieces, true);
  compare(found, { rows, bad: [], error: null }, "what was written anew");
}

function piecesOf(bytes: Uint8Array, length: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += length) pieces.push(bytes.subarray(at, at + length));
  return pieces;
}

function compare(found: ReadText, expected: ReadText, what: string): void {
  const sayBad = ({ bad, error }: ReadText): string => JSON.stringify([bad, error?.message]);
  if (sayBad(found) !== sayBad(expected)) {
    throw new Broken("wrong", `${sayBad(found)}, and ${what} has ${sayBad(expected)}`);
  }
  const isSame = found.rows.length === expected.rows.length;
  const i = found.rows.findIndex((row, at) => textOf(row) !== textOf(expected.rows[at]));
  if (isSame && i < 0) return;
  const [row, other] = [found.rows[i], expected.rows[i]].map(textOf);
  throw new Broken("wrong", `row ${i} of ${found.rows.length} is ${row}, and in ${what} ${other}`);
}

function textOf(row: TextRow | undefined): string {
  if (row === undefined) return "none";
  const { labels, time, bits } = row;
  const pairs = Object.entries(labels).map((pair) => JSON.stringify(pair));
  return `${pairs.sort().join()} ${time} ${bits.toString(16)}`;
}

/** Drops, repeats and mixes lines, or changes one: most of the text stays what it was. */
function changeLines(sound: SoundText, other: SoundText, random: Random): Uint8Array {
  const lines = Buffer.from(sound.bytes).toString("latin1").split("\n");
  const others = Buffer.from(other.bytes).toString("latin1").split("\n");
  do {
    const at = random.below(lines.length);
    const kind = random.below(8);
    if (kind === 0) lines.splice(at, 1);
    else if (kind === 1) lines.splice(at, 0, random.pick(others));
    else if (kind === 2) lines[at] += random.pick(SNIPPETS);
    else if (kind === 3) lines[at] = spliced(lines[at] ?? "", random.pick(SNIPPETS), random);
    else {
      const line = Buffer.from(lines[at] ?? "", "latin1");
      const by = Buffer.from(random.pick(others), "latin1");
      lines[at] = Buffer.from(mutate(random, line, by, 0.4)).toString("latin1");
    }
  } while (lines.length > 0 && random.chance(0.4));
  return Buffer.from(lines.join("\n"), "latin1");
}

function spliced(line: string, by: string, random: Random): string {
  const at = random.below(line.length + 1);
  return line.slice(0, at) + by + line.slice(at + random.below(3));
}

/** What means something in one of the formats, or nearly does. */
const SNIPPETS = [
  "{",
  "}",
  '"',
  '\\"',
  "\\n",
  "\\x",
  "\\",
  ",",
  "=",
  " ",
  "\t",
  "\r",
  "#",
  "# ",
  "# EOF",
  "\n# EOF\n",
  "# HELP up x",
  "# TYPE up counter",
  '{"',
  "\u00ef\u00bb\u00bf",
  "NaN",
  "+Inf",
  "-inf",
  "1e999",
  "1e-999",
  "0x1p-1074",
  "0x",
  "0x.p1",
  "-0",
  ".",
  "1.",
  "9007199254740992",
  "-9007199254740991",
  "1e3",
  "1.0005",
  "-0.0001",
  "__proto__",
  "\u00ff",
  "\u00c0\u0080",
  "\u00ed\u00a0\u0080",
  "null",
  "[]",
  ":",
  '""',
  '","',
  ' # {a="b"} 1',
  "x".repeat(70),
];
