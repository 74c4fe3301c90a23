import type { Labels } from "@varve/contracts";
import Database from "better-sqlite3";
import { join } from "node:path";
import { LabelText } from "./label-text.ts";
import type { Found, IngestStore } from "./store.ts";
import type { Stretch } from "./stretches.ts";

/** The tables: a series is found by its text, and its samples lie together. */
const TABLES = `
  create table series (labels text primary key, id integer not null) without rowid, strict;
  create table samples (
    series integer not null, time integer not null, value real not null,
    primary key (series, time)
  ) without rowid, strict`;

/** SQLite in WAL mode with `synchronous=NORMAL`: a commit writes its log, checkpoints sync. */
export async function openSqlite(dir: string): Promise<IngestStore> {
  const db = new Database(join(dir, "samples.db"));
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = NORMAL");
  db.pragma("cache_size = -262144"); // 256 MiB.
  db.pragma("mmap_size = 2147418112"); // The most that the library was built for.
  db.exec(TABLES);
  return new SqliteStore(db);
}

class SqliteStore implements IngestStore {
  readonly about: string;
  readonly durability = "written";
  readonly #db: Database.Database;
  readonly #find: Database.Statement<[string], number>;
  readonly #addSeries: Database.Statement<[string, number]>;
  readonly #addSample: Database.Statement<[number, number, number]>;
  readonly #begin: Database.Statement<[]>;
  readonly #commit: Database.Statement<[]>;
  readonly #text = new LabelText();
  #ids: readonly number[] = [];
  #next = 1;

  constructor(db: Database.Database) {
    this.#db = db;
    const version = String(db.prepare("select sqlite_version()").pluck().get());
    this.about = `better-sqlite3: SQLite ${version}, WAL, synchronous=NORMAL: a commit is written, a checkpoint synced`;
    this.#find = db.prepare<[string], number>("select id from series where labels = ?").pluck();
    this.#addSeries = db.prepare("insert into series values (?, ?)");
    this.#addSample = db.prepare("insert into samples values (?, ?, ?)");
    this.#begin = db.prepare("begin immediate");
    this.#commit = db.prepare("commit");
  }

  writeLabels(labels: readonly Labels[], { from, until, time, value }: Stretch): void {
    this.#begin.run();
    for (let i = from; i < until; i += 1) {
      this.#addSample.run(this.#idOf(this.#text.of(labels[i]!)), time, value);
    }
    this.#commit.run();
  }

  prepare(labels: readonly Labels[]): void {
    this.#ids = labels.map((each) => this.#find.get(this.#text.of(each))!);
  }

  writeHandles({ from, until, time, value }: Stretch): void {
    const ids = this.#ids;
    this.#begin.run();
    for (let i = from; i < until; i += 1) this.#addSample.run(ids[i]!, time, value);
    this.#commit.run();
  }

  writeBatch(rows: Stretch): void {
    this.writeHandles(rows);
  }

  settle(): void {}

  async found(origin: number): Promise<Found> {
    const sql = `select (select count(distinct labels) from series) series, count(distinct series) sampled,
      count(*) samples, coalesce(sum(time - ?), 0) times, coalesce(sum(value), 0) "values" from samples`;
    return this.#db.prepare<[number], Found>(sql).get(origin)!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#db.close();
  }

  #idOf(text: string): number {
    const known = this.#find.get(text);
    if (known !== undefined) return known;
    const id = this.#next;
    this.#next += 1;
    this.#addSeries.run(text, id);
    return id;
  }
}
