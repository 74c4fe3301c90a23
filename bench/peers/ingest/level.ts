import type { Labels } from "@varve/contracts";
import { ClassicLevel } from "classic-level";
import { join } from "node:path";
import { LabelText } from "./label-text.ts";
import { sampleKey, SampleSum, sampleValue } from "./sample-entry.ts";
import type { Found, IngestStore } from "./store.ts";
import type { Stretch } from "./stretches.ts";

/** Memory for what is not in tables yet, and for blocks that were read, in bytes: LevelDB's own 4 and 8 MiB are slower. */
const BUFFER_BYTES = 64 * 2 ** 20;
/** Tells the keys of series and of samples apart. */
const [SERIES, SAMPLE] = [Buffer.from("s"), Buffer.from("x")];
const [SERIES_END, SAMPLE_END] = [Buffer.from("t"), Buffer.from("y")];

type Level = ClassicLevel<Uint8Array, Uint8Array>;
type Put = { readonly type: "put"; readonly key: Uint8Array; readonly value: Uint8Array };

/** LevelDB: a batch is written to its log, and not synced. */
export async function openLevel(dir: string): Promise<IngestStore> {
  const db: Level = new ClassicLevel(join(dir, "level"), {
    keyEncoding: "view",
    valueEncoding: "view",
    writeBufferSize: BUFFER_BYTES,
    cacheSize: BUFFER_BYTES,
  });
  await db.open();
  return new LevelStore(db);
}

class LevelStore implements IngestStore {
  readonly about = "classic-level: LevelDB, sync=false: a batch is written to its log";
  readonly durability = "written";
  readonly #db: Level;
  readonly #text = new LabelText();
  #ids: readonly number[] = [];
  #next = 1;

  constructor(db: Level) {
    this.#db = db;
  }

  async writeLabels(labels: readonly Labels[], rows: Stretch): Promise<void> {
    const keys: Uint8Array[] = [];
    for (let i = rows.from; i < rows.until; i += 1) keys.push(this.#keyOf(labels[i]!));
    const found = await this.#db.getMany(keys); // Faster than a call for each.
    const [puts, value] = [[] as Put[], sampleValue(rows.value)];
    keys.forEach((key, i) => {
      const known = found[i];
      const id = known === undefined ? this.#next : idFrom(known);
      if (known === undefined) {
        this.#next += 1;
        puts.push({ type: "put", key, value: idBytes(id) });
      }
      puts.push({ type: "put", key: Buffer.concat([SAMPLE, sampleKey(id, rows.time)]), value });
    });
    await this.#db.batch(puts, { sync: false });
  }

  async prepare(labels: readonly Labels[]): Promise<void> {
    const found = await this.#db.getMany(labels.map((each) => this.#keyOf(each)));
    this.#ids = found.map((bytes) => idFrom(bytes!));
  }

  async writeHandles({ from, until, time, value }: Stretch): Promise<void> {
    const [ids, puts, bytes] = [this.#ids, [] as Put[], sampleValue(value)];
    for (let i = from; i < until; i += 1) {
      const key = Buffer.concat([SAMPLE, sampleKey(ids[i]!, time)]);
      puts.push({ type: "put", key, value: bytes });
    }
    await this.#db.batch(puts, { sync: false });
  }

  writeBatch(rows: Stretch): Promise<void> {
    return this.writeHandles(rows);
  }

  settle(): void {}

  async found(origin: number): Promise<Found> {
    const sum = new SampleSum(origin);
    let series = 0;
    for await (const _ of this.#db.keys({ gte: SERIES, lt: SERIES_END })) series += 1;
    for await (const [key, value] of this.#db.iterator({ gte: SAMPLE, lt: SAMPLE_END })) {
      sum.add(key.subarray(SAMPLE.length), value);
    }
    return sum.found(series);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#db.close();
  }

  #keyOf(labels: Labels): Buffer {
    return Buffer.from(`s${this.#text.of(labels)}`);
  }
}

function idBytes(id: number): Buffer {
  const bytes = Buffer.allocUnsafe(Uint32Array.BYTES_PER_ELEMENT);
  bytes.writeUInt32LE(id, 0);
  return bytes;
}

function idFrom(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}
