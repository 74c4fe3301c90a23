import type { Labels } from "@varve/contracts";
import { type Database, open, type RootDatabase } from "lmdb";
import { join } from "node:path";
import { LabelText } from "./label-text.ts";
import { sampleKey, SampleSum, sampleValue } from "./sample-entry.ts";
import type { Found, IngestStore } from "./store.ts";
import type { Stretch } from "./stretches.ts";

/** Address space for the file, in bytes. */
const MAP_BYTES = 16 * 2 ** 30;

/** LMDB without syncs: a commit is in the file's pages, and the kernel writes them when it likes. */
export async function openLmdb(dir: string): Promise<IngestStore> {
  const env = open({
    path: join(dir, "lmdb"),
    noSync: true,
    overlappingSync: false,
    useWritemap: true,
    mapSize: MAP_BYTES,
  });
  return new LmdbStore(env);
}

class LmdbStore implements IngestStore {
  readonly about = "lmdb: noSync, writemap: a commit is in the file's pages, nothing is synced";
  readonly durability = "written";
  readonly #env: RootDatabase;
  readonly #series: Database<number, string>;
  readonly #samples: Database<Uint8Array, Uint8Array>;
  readonly #text = new LabelText();
  #ids: readonly number[] = [];
  #next = 1;

  constructor(env: RootDatabase) {
    this.#env = env;
    this.#series = env.openDB({ name: "series", encoding: "ordered-binary" });
    this.#samples = env.openDB({ name: "samples", encoding: "binary", keyEncoding: "binary" });
  }

  writeLabels(labels: readonly Labels[], { from, until, time, value }: Stretch): void {
    const bytes = sampleValue(value);
    this.#env.transactionSync(() => {
      for (let i = from; i < until; i += 1) {
        const id = this.#idOf(this.#text.of(labels[i]!));
        this.#samples.putSync(sampleKey(id, time), bytes);
      }
    });
  }

  prepare(labels: readonly Labels[]): void {
    this.#ids = labels.map((each) => this.#series.get(this.#text.of(each))!);
  }

  writeHandles({ from, until, time, value }: Stretch): void {
    const [ids, bytes] = [this.#ids, sampleValue(value)];
    this.#env.transactionSync(() => {
      for (let i = from; i < until; i += 1) this.#samples.putSync(sampleKey(ids[i]!, time), bytes);
    });
  }

  writeBatch(rows: Stretch): void {
    this.writeHandles(rows);
  }

  settle(): void {}

  async found(origin: number): Promise<Found> {
    const sum = new SampleSum(origin);
    for (const { key, value } of this.#samples.getRange()) sum.add(key, value);
    return sum.found(this.#series.getKeysCount());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#env.close();
  }

  #idOf(text: string): number {
    const known = this.#series.get(text);
    if (known !== undefined) return known;
    const id = this.#next;
    this.#next += 1;
    this.#series.putSync(text, id);
    return id;
  }
}
