import type { Labels } from "@varve/contracts";
import { COMMA, QUOTE } from "./ascii.ts";
import { CsvFields } from "./csv-fields.ts";
import { readFloatOrBits } from "./float.ts";
import { addLabel, labelsFrom } from "./label-set.ts";
import { LineFault, quoteBytes } from "./line-fault.ts";
import type { ParserContext, RecordParser } from "./parser.ts";
import { noTime } from "./sample-line.ts";
import { HASH_FACTOR, HASH_START, SeriesCache } from "./series-cache.ts";
import { parseSeries } from "./series-text.ts";
import { textOf } from "./text-of.ts";
import { readMillis } from "./time.ts";

const SERIES_STYLE = { isLoose: true, isNamed: false };

/**
 * Parses records of a CSV file (RFC 4180) whose first record names the columns, in one of two layouts:
 * `series,time,value`, in any order, with the series as `name{label="value",…}`; or `time`, `value` and a column
 * for each label, in which an empty field is no label. Times are whole milliseconds.
 */
export function csvParser(context: ParserContext): RecordParser {
  return new CsvParser(context);
}

/** What the columns mean, by position. */
interface Layout {
  readonly time: number;
  readonly value: number;
  /** The column of series texts, or -1. */
  readonly series: number;
  /** Columns of labels. */
  readonly labels: readonly { readonly field: number; readonly name: string }[];
  readonly count: number;
}

class CsvParser implements RecordParser {
  isLost = false;
  readonly #context: ParserContext;
  readonly #fields = new CsvFields();
  readonly #cache = new SeriesCache();
  #layout: Layout | undefined;
  #raw = new Uint8Array(1024);

  constructor(context: ParserContext) {
    this.#context = context;
  }

  parse(bytes: Uint8Array, from: number, until: number): void {
    const fields = this.#fields;
    if (this.#layout === undefined) {
      this.isLost = true;
      fields.split(bytes, from, until);
      this.#layout = layoutOf(bytes, from, fields);
      this.isLost = false;
      return;
    }
    fields.split(bytes, from, until);
    const layout = this.#layout;
    if (fields.count === 1 && fields.starts[0] === fields.ends[0]) return; // An empty line.
    if (fields.count !== layout.count) {
      throw new LineFault(from, `expected ${layout.count} fields, got ${fields.count}`);
    }
    const { rows } = this.#context;
    const valueAt = fields.starts[layout.value]!;
    const valueEnd = fields.ends[layout.value]!;
    if (!readFloatOrBits(bytes, valueAt, valueEnd, rows.values, rows.length)) {
      const got = quoteBytes(bytes, valueAt, valueEnd);
      throw new LineFault(valueAt, `expected a value, got ${got}`);
    }
    const time = this.#time(bytes, fields.starts[layout.time]!, fields.ends[layout.time]!);
    rows.end(this.#labels(bytes, layout), time);
  }

  finish(): void {
    if (this.#layout !== undefined) return;
    this.isLost = true;
    throw new LineFault(0, "there is no header");
  }

  #time(bytes: Uint8Array, from: number, until: number): number {
    if (from === until) {
      const { defaultTime } = this.#context;
      if (defaultTime === undefined) throw noTime(from);
      return defaultTime;
    }
    const time = readMillis(bytes, from, until);
    if (!Number.isNaN(time)) return time;
    const got = quoteBytes(bytes, from, until);
    throw new LineFault(from, `expected a time in whole milliseconds, got ${got}`);
  }

  #labels(bytes: Uint8Array, layout: Layout): Labels {
    const length = this.#gather(bytes, layout);
    const raw = this.#raw;
    let hash = HASH_START;
    for (let i = 0; i < length; i += 1) hash = Math.imul(hash ^ raw[i]!, HASH_FACTOR);
    const known = this.#cache.find(raw, 0, length, hash);
    if (known !== undefined) return known;
    const labels =
      layout.series < 0 ? this.#fromColumns(bytes, layout) : this.#fromSeries(bytes, layout.series);
    this.#cache.add(raw, 0, length, hash, labels);
    return labels;
  }

  /** Puts the fields that name the series one behind the other, as they stand: the cache's key. */
  #gather(bytes: Uint8Array, layout: Layout): number {
    const { starts, ends, escaped } = this.#fields;
    if (layout.series >= 0)
      return this.#copy(bytes, starts[layout.series]!, ends[layout.series]!, 0);
    let length = 0;
    for (const { field } of layout.labels) {
      length = this.#copy(bytes, starts[field]!, ends[field]!, length);
      // Tells `a,b` in one field from two fields, and a doubled quote from two.
      this.#raw[length] = escaped[field] === 1 ? QUOTE : COMMA;
      this.#raw[length + 1] = 0xff;
      length += 2;
    }
    return length;
  }

  #copy(bytes: Uint8Array, from: number, until: number, at: number): number {
    const end = at + until - from;
    if (end + 2 > this.#raw.length) {
      const grown = new Uint8Array(end * 2 + 2);
      grown.set(this.#raw);
      this.#raw = grown;
    }
    for (let i = from, to = at; i < until; i += 1, to += 1) this.#raw[to] = bytes[i]!;
    return end;
  }

  #fromSeries(bytes: Uint8Array, field: number): Labels {
    const text = this.#fields.unescaped(bytes, field);
    const start = this.#fields.starts[field]!;
    try {
      return parseSeries(text, 0, text.length, SERIES_STYLE);
    } catch (error) {
      if (error instanceof LineFault) throw new LineFault(start, error.message);
      throw error;
    }
  }

  #fromColumns(bytes: Uint8Array, layout: Layout): Labels {
    const labels = new Map<string, string>();
    for (const { field, name } of layout.labels) {
      labels.set(name, textOfField(bytes, this.#fields, field));
    }
    return labelsFrom(labels);
  }
}

function layoutOf(bytes: Uint8Array, from: number, fields: CsvFields): Layout {
  const names: string[] = [];
  for (let field = 0; field < fields.count; field += 1) {
    names.push(textOfField(bytes, fields, field));
  }
  const time = onlyColumn(names, "time", from);
  const value = onlyColumn(names, "value", from);
  const count = names.length;
  const series = names.indexOf("series");
  if (count === 3 && series >= 0) return { time, value, series, labels: [], count };
  const seen = new Map<string, string>();
  const labels = names.flatMap((name, field) => {
    if (field === time || field === value) return [];
    const problem = addLabel(seen, name, name);
    if (problem !== undefined)
      throw new LineFault(fields.starts[field]!, `in the header, ${problem}`);
    return [{ field, name }];
  });
  return { time, value, series: -1, labels, count };
}

function onlyColumn(names: readonly string[], name: string, from: number): number {
  const at = names.indexOf(name);
  if (at < 0) throw new LineFault(from, `the header has no column "${name}"`);
  if (names.includes(name, at + 1)) throw new LineFault(from, `the header has "${name}" twice`);
  return at;
}

function textOfField(bytes: Uint8Array, fields: CsvFields, field: number): string {
  const text = fields.unescaped(bytes, field);
  try {
    return textOf(text, 0, text.length);
  } catch (error) {
    if (error instanceof LineFault) throw new LineFault(fields.starts[field]!, error.message);
    throw error;
  }
}
