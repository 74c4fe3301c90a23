import { compareUtf8 } from "@varve/bytes";
import { StorageError, type Labels } from "@varve/contracts";
import type { SampleFormat } from "./format.ts";
import { NAME_LABEL } from "./internal/label-set.ts";
import { textOfBits, textOfFloat, textOfSeconds, wordsOf } from "./internal/number-text.ts";
import { seriesText } from "./internal/selector-text.ts";

/** Length at which a piece of text is handed on, in characters. */
const PIECE_LENGTH = 64 * 1024;

/** A series with samples, as a store selects it. */
export interface SeriesSamples {
  readonly labels: Labels;
  /** Whole milliseconds. */
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** How one format writes. */
interface Layout {
  readonly head: string;
  /** What stands before and behind the value and time of each sample of a series. */
  line(series: SeriesSamples): (at: number) => string;
  readonly foot: string;
}

/**
 * Writes series as text, in pieces of about 64 KiB. Numbers are the shortest that read back as the same double.
 *
 * CSV (`series,time,value`) and JSON lines keep every label set and every bit of a value. The text formats need a
 * metric's name (INPUT without one) and have one NaN, so a stale marker becomes an ordinary `NaN`. Prometheus text
 * has times in milliseconds, OpenMetrics in seconds. Series come in the order given: the text formats want those
 * of one metric together, and no TYPE is said.
 */
export async function* writeSamples(
  format: SampleFormat,
  source: AsyncIterable<SeriesSamples> | Iterable<SeriesSamples>,
): AsyncGenerator<string> {
  const layout = LAYOUTS[format];
  let piece = layout.head;
  for await (const series of source) {
    const line = layout.line(series);
    for (let at = 0; at < series.times.length; at += 1) {
      piece += line(at);
      if (piece.length < PIECE_LENGTH) continue;
      yield piece;
      piece = "";
    }
  }
  piece += layout.foot;
  if (piece !== "") yield piece;
}

const LAYOUTS: Readonly<Record<SampleFormat, Layout>> = {
  prometheus: {
    head: "",
    line({ labels, times, values }) {
      const name = namedText(labels);
      return (at) => `${name} ${textOfFloat(values[at]!)} ${times[at]!}\n`;
    },
    foot: "",
  },
  openmetrics: {
    head: "",
    line({ labels, times, values }) {
      const name = namedText(labels);
      return (at) => `${name} ${textOfFloat(values[at]!)} ${textOfSeconds(times[at]!)}\n`;
    },
    foot: "# EOF\n",
  },
  csv: {
    head: "series,time,value\n",
    line({ labels, times, values }) {
      const name = csvField(seriesText(labels));
      const words = wordsOf(values);
      return (at) => `${name},${times[at]!},${textOfBits(values, words, at)}\n`;
    },
    foot: "",
  },
  jsonl: {
    head: "",
    line({ labels, times, values }) {
      const head = `{"labels":${jsonLabels(labels)},"time":`;
      const words = wordsOf(values);
      return (at) => {
        const text = textOfBits(values, words, at);
        const value = Number.isFinite(values[at]!) ? text : `"${text}"`;
        return `${head}${times[at]!},"value":${value}}\n`;
      };
    },
    foot: "",
  },
};

function namedText(labels: Labels): string {
  const text = seriesText(labels);
  if ((labels[NAME_LABEL] ?? "") !== "") return text;
  throw new StorageError(
    "INPUT",
    `series ${text} has no ${NAME_LABEL}, which the text formats need; write it as CSV or JSON lines`,
    { facts: { series: text } },
  );
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A label set as JSON, in key order. By entries: a label may be called __proto__. */
function jsonLabels(labels: Labels): string {
  const names = Object.keys(labels).filter((name) => labels[name] !== "");
  const members = names
    .sort(compareUtf8)
    .map((name) => `${JSON.stringify(name)}:${JSON.stringify(labels[name])}`);
  return `{${members.join(",")}}`;
}
