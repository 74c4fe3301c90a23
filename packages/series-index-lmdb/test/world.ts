import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBatch, reserveMemory, type RowBatch } from "@varve/bytes";
import type { IndexSettlement, SeriesIndex, SeriesIndexNeeds } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { lmdbIndex, type LmdbOptions } from "../src/lmdb.ts";

export type TestHash = (key: string) => readonly [low: number, high: number];

export const goodHash: TestHash = (key) => [fnv(key, 0x811c9dc5), fnv(key, 0x1234567)];
/** Every key in one place; 0 must not mean empty. */
export const zeroHash: TestHash = () => [0, 0];

function fnv(key: string, basis: number): number {
  let h = basis;
  for (let i = 0; i < key.length; i += 1) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  h ^= h >>> 15;
  return Math.imul(h, 0x85ebca6b) >>> 0;
}

/** A directory for one index, removed when it is disposed, and what the log would know of its series. */
export class World implements Disposable {
  readonly parent = mkdtempSync(join(tmpdir(), "varve-lmdb-"));
  readonly batch: RowBatch;
  readonly needs: SeriesIndexNeeds;
  /** What the log says: key to ref. */
  readonly refs = new Map<string, number>();
  readonly hash: TestHash;
  nextRef = 1;

  constructor(options: { readonly hash?: TestHash } & Partial<SeriesIndexNeeds> = {}) {
    const { hash = goodHash, ...changes } = options;
    this.hash = hash;
    const memory = reserveMemory({ bytesMax: 2 ** 22 });
    this.batch = makeBatch(memory, 1000);
    this.needs = {
      memory,
      disk: nodeDisk(),
      dir: join(this.parent, "index.lmdb"),
      storeId: "0123456789abcdef0123456789abcdef",
      seed: { low: 7, high: 0x89abcdef },
      seriesMax: 1_000_000,
      seriesExpected: 0,
      ...changes,
    };
  }

  get data(): string {
    return join(this.needs.dir, "data.mdb");
  }

  async open(options: LmdbOptions & Partial<SeriesIndexNeeds> = {}): Promise<SeriesIndex> {
    return lmdbIndex(options).open({ ...this.needs, ...options });
  }

  /** Opens, and tells what the log knows. */
  async reopen(
    options: LmdbOptions & Partial<SeriesIndexNeeds> = {},
  ): Promise<{ index: SeriesIndex; settlement: IndexSettlement }> {
    const index = await this.open(options);
    return { index, settlement: this.replay(index) };
  }

  replay(index: SeriesIndex): IndexSettlement {
    const bindings = [...this.refs];
    for (let from = 0; from < bindings.length; from += 500) {
      const some = bindings.slice(from, from + 500);
      this.fill(some.map(([key]) => key));
      for (const [row, [, ref]] of some.entries()) this.batch.refs[row] = ref;
      index.adopt(this.batch, 0, some.length);
    }
    return index.settle(this.nextRef);
  }

  fill(keys: readonly string[]): void {
    const { batch } = this;
    batch.clear();
    for (const key of keys) {
      const row = batch.add(0, 0);
      batch.reserveKey(row, key.length);
      batch.keyAt[row + 1] = batch.keyAt[row]! + key.length;
      batch.keys.set(Buffer.from(key, "latin1"), batch.keyAt[row]);
      [batch.hashes[2 * row], batch.hashes[2 * row + 1]] = this.hash(key);
    }
  }

  /** Inserts keys, and notes what the log would know. */
  insert(index: SeriesIndex, keys: readonly string[]): number {
    this.fill(keys);
    const inserted = index.insert(this.batch, 0, keys.length);
    for (const [row, key] of keys.entries()) {
      const ref = this.batch.refs[row]!;
      if (ref !== 0) this.refs.set(key, ref);
      if (ref >= this.nextRef) this.nextRef = ref + 1;
    }
    return inserted;
  }

  /** Everything the log knows is found, by key and by ref, and nothing else. Returns what is wrong. */
  differences(index: SeriesIndex): string[] {
    const wrong: string[] = [];
    if (index.size !== this.refs.size) wrong.push(`size ${index.size}, not ${this.refs.size}`);
    const bindings = [...this.refs];
    for (let from = 0; from < bindings.length; from += 500) {
      const some = bindings.slice(from, from + 500);
      this.fill(some.map(([key]) => key));
      index.find(this.batch, 0, some.length);
      for (const [row, [key, ref]] of some.entries()) {
        if (this.batch.refs[row] !== ref)
          wrong.push(`${key} is ${this.batch.refs[row]}, not ${ref}`);
        if (keyOfRef(index, ref) !== key)
          wrong.push(`${ref} is ${keyOfRef(index, ref)}, not ${key}`);
      }
    }
    this.fill(["no such key", ""]);
    index.find(this.batch, 0, 2);
    if (this.batch.refs[0] !== 0 || this.batch.refs[1] !== 0) wrong.push("an absent key is found");
    return wrong;
  }

  /** The same store in a copy of its directory, as a crash right now would leave it. */
  crashed(): World {
    const copy = new World({ hash: this.hash });
    cpSync(this.needs.dir, copy.needs.dir, { recursive: true });
    for (const [key, ref] of this.refs) copy.refs.set(key, ref);
    copy.nextRef = this.nextRef;
    return copy;
  }

  [Symbol.dispose](): void {
    rmSync(this.parent, { recursive: true, force: true });
  }
}

export function keyOfRef(index: SeriesIndex, ref: number): string | undefined {
  const into = new Uint8Array(index.keyBytes(ref));
  const length = index.copyKey(ref, into, 0);
  if (length !== into.length) return `key of ${length} bytes, not ${into.length}`;
  return length === 0 ? undefined : Buffer.from(into).toString("latin1");
}

export function numbered(prefix: string, start: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}\xff${String(start + i).padStart(30)}`);
}
