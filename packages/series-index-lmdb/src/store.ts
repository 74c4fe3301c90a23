import { createHmac } from "node:crypto";
import { equalBytes } from "@varve/bytes";
import type { SeriesRef } from "@varve/contracts";
import { open, type Database, type RootDatabase } from "lmdb";
import {
  ENTRY_KEY_BYTES,
  hasMore,
  isEntry,
  makeEntry,
  refOf,
  SERIES_KEY,
  writeEntryKey,
  writeRefKey,
} from "./entry.ts";
import { corrupt, lmdbFailure } from "./errors.ts";
import { decodeMeta, encodeMeta, type Meta } from "./meta.ts";
import type { Pending } from "./overlay.ts";

/** The only key of the meta table. */
const META_KEY = Uint8Array.of(1);
const NO_BYTES = new Uint8Array(0);
const ENCODING = { encoding: "binary", keyEncoding: "binary" } as const;

/** Opens the environment in `dir` and its three tables. Throws StorageError. */
export function openStore(
  dir: string,
  options: { readonly mapBytes: number; readonly readOnly?: boolean },
): Store {
  const { mapBytes, readOnly = false } = options;
  try {
    // Without syncs: nothing is promised before `commit`, which syncs the file itself.
    const root = open<Uint8Array, Uint8Array>({
      ...ENCODING,
      path: dir,
      maxDbs: 3,
      mapSize: mapBytes,
      noSync: !readOnly,
      readOnly,
      noSubdir: false,
    });
    return new Store(dir, root);
  } catch (cause) {
    throw lmdbFailure("open", dir, cause);
  }
}

/**
 * Entries in LMDB, by hash and collision number, and the places of entries by ref.
 *
 * The first series of a hash has number 0. Others get a keyed hash of their key as number, then the next one up:
 * linear probing, in which an entry knows whether another went on behind it (`more`). So a hit and a miss
 * take one read unless whole hashes are equal, and a flood of equal hashes takes two.
 */
export class Store {
  readonly #dir: string;
  readonly #root: RootDatabase<Uint8Array, Uint8Array>;
  readonly #entries: Database<Uint8Array, Uint8Array>;
  readonly #refs: Database<Uint8Array, Uint8Array>;
  readonly #meta: Database<Uint8Array, Uint8Array>;
  readonly #entryKey = new Uint8Array(ENTRY_KEY_BYTES);
  readonly #refKey = new Uint8Array(4);
  #secret: Buffer = Buffer.alloc(0);
  /** Entries read, and series that were put behind another with the same hash. */
  reads = 0;
  collisions = 0;

  constructor(dir: string, root: RootDatabase<Uint8Array, Uint8Array>) {
    this.#dir = dir;
    this.#root = root;
    this.#entries = root.openDB("entries", ENCODING);
    this.#refs = root.openDB("refs", ENCODING);
    this.#meta = root.openDB("meta", ENCODING);
  }

  /** Bytes of the file that are in use. */
  get bytes(): number {
    const stats = this.#root.getStats() as { pageSize: number; lastPageNumber: number };
    return stats.pageSize * (stats.lastPageNumber + 1);
  }

  readMeta(): Meta | undefined {
    return this.#guard("read", () => decodeMeta(this.#meta.getBinary(META_KEY)));
  }

  /** Sets the key of the collision numbers. */
  setSecret(secret: string): void {
    this.#secret = Buffer.from(secret, "hex");
  }

  /** The ref bound to a key, or NO_SERIES. */
  find(low: number, high: number, bytes: Uint8Array, from: number, until: number): SeriesRef {
    let number = 0;
    for (;;) {
      writeEntryKey(this.#entryKey, low, high, number);
      const value = this.#read();
      if (value === undefined) return 0;
      const length = value.length;
      if (!isEntry(this.#entryKey, value, length)) throw corrupt(this.#dir, "an entry is damaged");
      const ref = refOf(value);
      if (ref !== 0 && equalBytes(value, SERIES_KEY, length, bytes, from, until)) return ref;
      if (!hasMore(value)) return 0;
      number = number === 0 ? this.#numberOf(bytes, from, until) : after(number);
    }
  }

  /** The series key behind a ref, valid until the next call: undefined when there is none. */
  keyOf(ref: SeriesRef): Uint8Array | undefined {
    if (!this.#locate(ref)) return undefined;
    const value = this.#read();
    if (value === undefined) throw corrupt(this.#dir, `ref ${ref} has a place and no entry`);
    const length = value.length;
    if (!isEntry(this.#entryKey, value, length) || refOf(value) !== ref) {
      throw corrupt(this.#dir, `the entry of ref ${ref} is damaged`);
    }
    return value.subarray(SERIES_KEY, length);
  }

  has(ref: SeriesRef): boolean {
    return this.#locate(ref);
  }

  /** Removes, then puts, then writes `meta`: all in one transaction, or nothing. */
  write(removed: Iterable<SeriesRef>, put: readonly Pending[], meta: Meta): void {
    this.#guard("write", () => {
      this.#root.transactionSync(() => {
        for (const ref of removed) this.#remove(ref);
        for (const pending of put) this.#put(pending);
        this.#meta.putSync(META_KEY, encodeMeta(meta));
      });
    });
  }

  /** Every ref that has an entry. */
  forEachRef(visit: (refKey: Uint8Array) => void): void {
    this.#guard("read", () => this.#refs.getKeys({}).forEach(visit));
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  /** Throws the first thing that is wrong: every entry, its search, and both directions of every ref. */
  verify(): number {
    const meta = this.readMeta();
    if (meta === undefined) throw corrupt(this.#dir, "the meta record is damaged");
    this.setSecret(meta.secret);
    let live = 0;
    for (const { key, value } of this.#entries.getRange({})) {
      const entryKey = Uint8Array.from(key);
      if (!isEntry(entryKey, value, value.length)) throw corrupt(this.#dir, "an entry is damaged");
      const ref = refOf(value);
      this.#entryKey.set(entryKey);
      if (this.#read() === undefined) throw corrupt(this.#dir, "an entry is not found");
      if (ref === 0) continue;
      live += 1;
      const isPlace = this.#locate(ref) && equalBytes(this.#entryKey, 0, 12, entryKey, 0, 12);
      if (!isPlace) throw corrupt(this.#dir, `ref ${ref} does not lead to its entry`);
    }
    let places = 0;
    this.forEachRef(() => (places += 1));
    if (live !== places || live !== meta.entries) {
      throw corrupt(this.#dir, `${meta.entries} series, ${live} entries, ${places} refs`);
    }
    return live;
  }

  /** Writes a copy that holds reachable pages only: what was not looked at does not come along. */
  async copyTo(dir: string): Promise<void> {
    await this.#root.backup(dir, true);
  }

  #put({ ref, low, high, key }: Pending): void {
    let number = 0;
    for (;;) {
      writeEntryKey(this.#entryKey, low, high, number);
      const value = makeEntry(this.#entryKey, ref, false, key);
      if (this.#entries.putSync(this.#entryKey, value, { noOverwrite: true }) as unknown) break;
      if (this.#takePlace(ref, key)) break;
      number = number === 0 ? this.#numberOf(key, 0, key.length) : after(number);
    }
    if (number !== 0) this.collisions += 1;
    writeRefKey(this.#refKey, ref);
    this.#refs.putSync(this.#refKey, Uint8Array.from(this.#entryKey));
  }

  /** Takes over the place at hand if its series was dropped; otherwise notes there that one goes on behind it. */
  #takePlace(ref: SeriesRef, key: Uint8Array): boolean {
    const value = this.#entries.getBinary(this.#entryKey)!;
    const isFree = refOf(value) === 0;
    if (!isFree && hasMore(value)) return false;
    const entry = isFree
      ? makeEntry(this.#entryKey, ref, true, key)
      : makeEntry(this.#entryKey, refOf(value), true, value.subarray(SERIES_KEY));
    this.#entries.putSync(this.#entryKey, entry);
    return isFree;
  }

  #remove(ref: SeriesRef): void {
    if (!this.#locate(ref)) return;
    const value = this.#entries.getBinary(this.#entryKey);
    if (value !== undefined && hasMore(value)) {
      this.#entries.putSync(this.#entryKey, makeEntry(this.#entryKey, 0, true, NO_BYTES));
    } else {
      this.#entries.removeSync(this.#entryKey);
    }
    this.#refs.removeSync(this.#refKey);
  }

  /** Finds the place of a ref's entry, and leaves it in `#entryKey`. */
  #locate(ref: SeriesRef): boolean {
    writeRefKey(this.#refKey, ref);
    const place = this.#guard("read", () => this.#refs.getBinaryFast(this.#refKey));
    if (place === undefined) return false;
    for (let i = 0; i < ENTRY_KEY_BYTES; i += 1) this.#entryKey[i] = place[i]!;
    return true;
  }

  /** The value under `#entryKey`: lmdb's own buffer, whose `length` it sets; valid until the next read. */
  #read(): Uint8Array | undefined {
    this.reads += 1;
    try {
      return this.#entries.getBinaryFast(this.#entryKey);
    } catch (cause) {
      throw lmdbFailure("read", this.#dir, cause);
    }
  }

  /** A collision number that whoever chooses keys cannot choose; 0 is the first series'. */
  #numberOf(bytes: Uint8Array, from: number, until: number): number {
    const hmac = createHmac("sha256", this.#secret).update(bytes.subarray(from, until)).digest();
    return hmac.readUInt32BE(0) || 1;
  }

  #guard<T>(operation: string, run: () => T): T {
    try {
      return run();
    } catch (cause) {
      throw lmdbFailure(operation, this.#dir, cause);
    }
  }
}

function after(number: number): number {
  return number === 0xffffffff ? 1 : number + 1;
}
