import {
  BIGINT,
  DOUBLE,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  UINTEGER,
} from "@duckdb/node-api";
import type { Labels } from "@varve/contracts";
import { join } from "node:path";
import { LabelText } from "./label-text.ts";
import type { Found, IngestStore } from "./store.ts";
import type { Stretch } from "./stretches.ts";

const TYPES = [UINTEGER, BIGINT, DOUBLE];

/**
 * DuckDB through its appender. A statement that finds one row takes far longer than a row appended, so the client remembers
 * every series itself, and neither table has an index.
 */
export async function openDuckdb(dir: string): Promise<IngestStore> {
  const instance = await DuckDBInstance.create(join(dir, "samples.duckdb"));
  const connection = await instance.connect();
  await connection.run("create table series (id uinteger, labels text)");
  await connection.run("create table samples (series uinteger, time bigint, value double)");
  const [version] = (await connection.runAndReadAll("select version()")).getRows()[0]!;
  const series = await connection.createAppender("series");
  const samples = await connection.createAppender("samples");
  return new DuckdbStore({ instance, connection, series, samples }, String(version));
}

interface Opened {
  readonly instance: DuckDBInstance;
  readonly connection: DuckDBConnection;
  readonly series: DuckDBAppender;
  readonly samples: DuckDBAppender;
}

class DuckdbStore implements IngestStore {
  readonly about: string;
  readonly durability = "synced";
  readonly #opened: Opened;
  readonly #text = new LabelText();
  readonly #known = new Map<string, number>();
  #ids: readonly number[] = [];

  constructor(opened: Opened, version: string) {
    this.#opened = opened;
    this.about = `duckdb: DuckDB ${version}, appender, series found in a Map of the client's: a commit syncs, it cannot do otherwise`;
  }

  async writeLabels(labels: readonly Labels[], rows: Stretch): Promise<void> {
    const { series } = this.#opened;
    const ids: number[] = [];
    for (let i = rows.from; i < rows.until; i += 1) {
      const text = this.#text.of(labels[i]!);
      let id = this.#known.get(text);
      if (id === undefined) {
        id = this.#known.size + 1;
        this.#known.set(text, id);
        series.appendUInteger(id);
        series.appendVarchar(text);
        series.endRow();
      }
      ids.push(id);
    }
    await this.#commit(ids, rows);
  }

  prepare(labels: readonly Labels[]): void {
    this.#ids = labels.map((each) => this.#known.get(this.#text.of(each))!);
  }

  writeHandles(rows: Stretch): Promise<void> {
    return this.#commit(this.#ids.slice(rows.from, rows.until), rows);
  }

  writeBatch(rows: Stretch): Promise<void> {
    return this.writeHandles(rows);
  }

  settle(): void {}

  async found(origin: number): Promise<Found> {
    const sql = `select (select count(distinct labels) from series)::double "series",
      count(distinct series)::double sampled, count(*)::double samples,
      coalesce(sum(time - ${origin}), 0)::double times, coalesce(sum(value), 0) "values" from samples`;
    const [row] = (await this.#opened.connection.runAndReadAll(sql)).getRowObjectsJS();
    return row as unknown as Found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { series, samples, connection, instance } = this.#opened;
    series.closeSync();
    samples.closeSync();
    connection.closeSync();
    instance.closeSync();
  }

  async #commit(ids: readonly number[], { time, value }: Stretch): Promise<void> {
    const { series, samples, connection } = this.#opened;
    const chunk = DuckDBDataChunk.create(TYPES, ids.length);
    chunk.setColumnValues(0, ids);
    const bigTime = BigInt(time);
    chunk.setColumnValues(
      1,
      ids.map(() => bigTime),
    );
    chunk.setColumnValues(
      2,
      ids.map(() => value),
    );
    await connection.run("begin");
    series.flushSync();
    samples.appendDataChunk(chunk);
    samples.flushSync();
    await connection.run("commit");
  }
}
