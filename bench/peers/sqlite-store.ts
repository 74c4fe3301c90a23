import { QUERY_THRESHOLD, type SampleQuery } from "@varve/workload";
import Database from "better-sqlite3";
import { join } from "node:path";
import {
  parseLabels,
  SERIES_TABLE,
  seriesRows,
  seriesSql,
  type FoundSeries,
} from "./sql-series.ts";
import type { AnswerSeries, LoadData, PeerStore, StoreAnswer } from "./store.ts";

/** What every statement on samples begins with: the rows of one series in one range lie side by side in the table. */
const SAMPLES = "select time, value from samples where series = ? and time >= ? and time < ?";

/** What is kept of a series, in SQL. The primary key has the order: nothing is sorted. */
const KEEP = {
  all: "order by time",
  newest: "order by time desc limit 1",
  above: `and value > ${QUERY_THRESHOLD} order by time`,
} as const satisfies Readonly<Record<SampleQuery["keep"], string>>;

type Row = [time: number, value: number];
type SampleStatement = Database.Statement<[number, number, number], Row>;

/**
 * SQLite: a table of samples that is its own index, by series and time, and a table of series with indexes on what queries
 * ask for. Log mode WAL, a sync a commit, and memory for all of the file.
 */
export async function openSqlite(dir: string): Promise<PeerStore> {
  const db = new Database(join(dir, "samples.db"));
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.pragma("cache_size = -262144"); // 256 MiB.
  db.pragma("mmap_size = 2147418112"); // The most that the library was built for.
  db.exec(`
    ${SERIES_TABLE} strict;
    create index series_by_metric on series (metric, host);
    create index series_by_host on series (host, metric);
    create table samples (
      series integer not null, time integer not null, value real not null,
      primary key (series, time)
    ) without rowid, strict;
  `);
  return new SqliteStore(db);
}

class SqliteStore implements PeerStore {
  readonly about: string;
  readonly durability = "synced, log checkpointed";
  readonly #db: Database.Database;
  readonly #samples: Readonly<Record<SampleQuery["keep"], SampleStatement>>;
  /** Prepared once for each number of metrics and hosts. */
  readonly #series = new Map<string, Database.Statement<string[], FoundSeries>>();

  constructor(db: Database.Database) {
    this.#db = db;
    const version = String(db.prepare("select sqlite_version()").pluck().get());
    this.about = `SQLite ${version}, WITHOUT ROWID by (series, time), a range scan a series`;
    const prepare = (end: string): SampleStatement =>
      db.prepare<[number, number, number], Row>(`${SAMPLES} ${end}`).raw();
    this.#samples = {
      all: prepare(KEEP.all),
      newest: prepare(KEEP.newest),
      above: prepare(KEEP.above),
    };
  }

  /** One transaction, in the order of the table. */
  async load(data: LoadData): Promise<void> {
    const db = this.#db;
    const { scrapes, times, values } = data.grid;
    const addSeries = db.prepare("insert into series values (?, ?, ?, ?)");
    const addSample = db.prepare("insert into samples values (?, ?, ?)");
    db.transaction(() => {
      seriesRows(data).forEach(({ metric, host, labels, at }, i) => {
        addSeries.run(i + 1, metric, host, labels);
        const first = at * scrapes;
        for (let j = 0; j < scrapes; j += 1) addSample.run(i + 1, times[j], values[first + j]);
      });
    })();
    db.exec("analyze");
    db.pragma("wal_checkpoint(TRUNCATE)");
  }

  async ask(query: SampleQuery): Promise<StoreAnswer> {
    const { from, until, keep } = query;
    const statement = this.#samples[keep];
    const series: AnswerSeries[] = [];
    let samples = 0;
    for (const [id, text] of this.#find(query)) {
      const rows = statement.all(id, from, until); // Twice as fast as iterating.
      if (rows.length === 0) continue;
      samples += rows.length;
      const times = new Float64Array(rows.length);
      const values = new Float64Array(rows.length);
      for (let i = 0; i < rows.length; i += 1) {
        times[i] = rows[i]![0];
        values[i] = rows[i]![1];
      }
      series.push({ labels: parseLabels(text), times, values });
    }
    return { series, samples };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#db.close();
  }

  #find(query: SampleQuery): FoundSeries[] {
    const { sql, values } = seriesSql(query);
    let statement = this.#series.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare<string[], FoundSeries>(sql).raw();
      this.#series.set(sql, statement);
    }
    return statement.all(...values);
  }
}
