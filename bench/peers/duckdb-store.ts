import {
  BIGINT,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBPreparedStatement,
  UINTEGER,
} from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";
import { QUERY_THRESHOLD, type SampleQuery } from "@varve/workload";
import { join } from "node:path";
import { SERIES_TABLE, seriesRows, seriesSql, type FoundSeries } from "./sql-series.ts";
import { splitSeries } from "./split-series.ts";
import type { LoadData, PeerStore, StoreAnswer } from "./store.ts";

/** Rows of a chunk: the size of DuckDB's vectors. */
const CHUNK_ROWS = 2048;
/** Most series whose samples are asked for as a whole: quicker when they are few, streaming when they are many. */
const RUN_SERIES_MAX = 64;
const TYPES = [UINTEGER, BIGINT, DOUBLE];

/**
 * DuckDB: a table of samples written in the order of series and time, whose row groups are passed over by their bounds, and
 * a table of series. As many threads as the machine has cores, which is its default.
 */
export async function openDuckdb(dir: string): Promise<PeerStore> {
  const instance = await DuckDBInstance.create(join(dir, "samples.duckdb"));
  const connection = await instance.connect();
  await connection.run(SERIES_TABLE);
  await connection.run("create table samples (series uinteger, time bigint, value double)");
  const settings = await connection.runAndReadAll("select version(), current_setting('threads')");
  return new DuckdbStore(instance, connection, settings.getRows()[0]!.map(String));
}

class DuckdbStore implements PeerStore {
  readonly about: string;
  readonly durability = "synced, checkpointed";
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  /** Prepared once for each number of metrics and hosts. */
  readonly #series = new Map<string, DuckDBPreparedStatement>();

  constructor(instance: DuckDBInstance, connection: DuckDBConnection, settings: string[]) {
    const [version, threads] = settings;
    this.#instance = instance;
    this.#connection = connection;
    this.about = `DuckDB ${version}, a table in the order of (series, time), ${threads} threads`;
  }

  async load(data: LoadData): Promise<void> {
    const { scrapes, times, values } = data.grid;
    const bigTimes = Array.from(times, BigInt);
    const series = await this.#connection.createAppender("series");
    const samples = await this.#connection.createAppender("samples");
    seriesRows(data).forEach(({ metric, host, labels, at }, i) => {
      series.appendInteger(i + 1);
      for (const text of [metric, host, labels]) series.appendVarchar(text);
      series.endRow();
      for (let from = 0; from < scrapes; from += CHUNK_ROWS) {
        const until = Math.min(scrapes, from + CHUNK_ROWS);
        const chunk = DuckDBDataChunk.create(TYPES, until - from);
        const column = values.subarray(at * scrapes + from, at * scrapes + until);
        chunk.setColumnValues(
          0,
          Array.from(column, () => i + 1),
        );
        chunk.setColumnValues(1, bigTimes.slice(from, until));
        chunk.setColumnValues(2, Array.from(column));
        samples.appendDataChunk(chunk);
      }
    });
    series.closeSync();
    samples.closeSync();
    await this.#connection.run("checkpoint");
  }

  async ask(query: SampleQuery): Promise<StoreAnswer> {
    const found = await this.#find(query);
    if (found.length === 0) return { series: [], samples: 0 };
    const answer = splitSeries(found);
    const sql = samplesSql(query, found);
    const result =
      found.length > RUN_SERIES_MAX
        ? await this.#connection.stream(sql)
        : await this.#connection.run(sql);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      const rows = chunk.rowCount;
      const ids = bytesOf(chunk, 0, rows * Uint32Array.BYTES_PER_ELEMENT);
      const times = bytesOf(chunk, 1, rows * Float64Array.BYTES_PER_ELEMENT);
      const doubles = bytesOf(chunk, 2, rows * Float64Array.BYTES_PER_ELEMENT);
      answer.add(
        new Uint32Array(ids.buffer, ids.byteOffset, rows),
        new Float64Array(times.buffer, times.byteOffset, rows),
        new Float64Array(doubles.buffer, doubles.byteOffset, rows),
      );
    }
    return answer.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  async #find(query: SampleQuery): Promise<FoundSeries[]> {
    const { sql, values } = seriesSql(query);
    let statement = this.#series.get(sql);
    if (statement === undefined) {
      statement = await this.#connection.prepare(sql);
      this.#series.set(sql, statement);
    }
    if (values.length > 0) statement.bind(values);
    return (await statement.runAndReadAll()).getRows() as unknown as FoundSeries[];
  }
}

/** A column of a chunk as it lies in memory: quicker than asking for each value. No column here has nulls. */
function bytesOf(chunk: DuckDBDataChunk, column: number, bytes: number): Uint8Array {
  return duckdb.vector_get_data(duckdb.data_chunk_get_vector(chunk.chunk, column), bytes);
}

/**
 * The statement that reads the samples of some series, of which there is at least one. A filtered scan gives rows in the order
 * in which they were written, so nothing is sorted; that is why series are told as ranges: of `in` with five ids and more
 * DuckDB makes a join, which keeps no order. Preparing it would save a tenth of a millisecond, for as many statements as
 * there are sets of ranges.
 */
function samplesSql({ from, until, keep }: SampleQuery, found: readonly FoundSeries[]): string {
  const ranges = rangesOf(found);
  // The bounds of all let row groups be passed over; an `or` does not.
  const conditions = [`series between ${ranges[0]![0]} and ${ranges.at(-1)![1]}`];
  if (ranges.length > 1) {
    const each = ranges.map(([first, last]) => `series between ${first} and ${last}`);
    conditions.push(`(${each.join(" or ")})`);
  }
  conditions.push(`time >= ${from}`, `time < ${until}`);
  if (keep === "above") conditions.push(`value > ${QUERY_THRESHOLD}`);
  const where = conditions.join(" and ");
  if (keep !== "newest") return `select series, time::double, value from samples where ${where}`;
  return `select series, max(time)::double, arg_max(value, time) from samples where ${where}
    group by series order by series`;
}

/** Joins ids that follow each other. */
function rangesOf(found: readonly FoundSeries[]): [first: number, last: number][] {
  const ranges: [first: number, last: number][] = [];
  for (const [id] of found) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] + 1 === id) range[1] = id;
    else ranges.push([id, id]);
  }
  return ranges;
}
