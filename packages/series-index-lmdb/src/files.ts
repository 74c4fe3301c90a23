import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { isStorageError, StorageError, type Disk, type SeriesIndexNeeds } from "@varve/contracts";
import { removeTree } from "@varve/disk/transfer";
import type { LmdbOptions } from "./lmdb.ts";
import type { Meta } from "./meta.ts";
import { checksumFile, readSidecar, writeSidecar, type Sidecar } from "./sidecar.ts";
import { openStore, type Store } from "./store.ts";
import { verifyInChild } from "./verify.ts";

/** Names in the index's directory: LMDB's two, what we know about them, and a verified copy on its way in. */
const DATA = "data.mdb";
const LOCK = "lock.mdb";
const SIDECAR = "STATE";
const COPY = "verified";

/** An opened store, what it says, and why an earlier one was thrown away. */
export interface Opened {
  readonly store: Store;
  readonly meta: Meta;
  /** Empty when the index was used as it was, or none was expected. */
  readonly reason: string;
  /** True when nothing of an earlier index is in use. */
  readonly isEmpty: boolean;
  /** True when the sidecar vouches for the files as they are now. */
  readonly isClean: boolean;
}

/** The files of one index: decides whether they can be trusted, and keeps the sidecar true. */
export class IndexFiles {
  readonly #needs: SeriesIndexNeeds;
  readonly #options: Required<LmdbOptions>;
  readonly #disk: Disk;
  readonly #sidecar: string;
  readonly #data: string;

  constructor(needs: SeriesIndexNeeds, options: Required<LmdbOptions>) {
    this.#needs = needs;
    this.#options = options;
    this.#disk = needs.disk;
    this.#sidecar = `${needs.dir}/${SIDECAR}`;
    this.#data = `${needs.dir}/${DATA}`;
  }

  /** Opens what is there if every check passes; otherwise removes it and starts empty. */
  async open(): Promise<Opened> {
    this.#makeDirectory();
    const existed =
      this.#disk.kind(this.#data) !== "none" || this.#disk.kind(this.#sidecar) !== "none";
    let reason = existed ? await this.#distrust() : "";
    if (existed && reason === "") {
      const opened = await this.#tryOpen();
      if (typeof opened !== "string") return opened;
      reason = opened;
    }
    this.#clear();
    this.markDirty();
    const store = openStore(this.#needs.dir, { mapBytes: this.#options.mapBytes });
    const meta: Meta = {
      storeId: this.#needs.storeId,
      seed: seedOf(this.#needs),
      secret: randomBytes(16).toString("hex"),
      coveredLsn: 0,
      nextRef: 1,
      entries: 0,
      generation: 1,
    };
    store.setSecret(meta.secret);
    store.write([], [], meta);
    return { store, meta, reason, isEmpty: true, isClean: false };
  }

  /** Says, durably, that the data file is about to change. */
  markDirty(): void {
    this.#write({ clean: false, size: 0, checksum: 0, generation: 0, entries: 0 });
  }

  /** Makes the data file durable. */
  async sync(): Promise<void> {
    const fd = this.#disk.open(this.#data, "update");
    try {
      await this.#disk.datasyncAsync(fd);
    } finally {
      this.#disk.close(fd);
    }
  }

  /** Vouches for the data file, which is closed and durable. */
  async markClean(generation: number, entries: number): Promise<void> {
    const { size, checksum } = await checksumFile(this.#disk, this.#data);
    this.#write({ clean: true, size, checksum, generation, entries });
  }

  #write(state: Omit<Sidecar, "storeId">): void {
    writeSidecar(this.#disk, this.#sidecar, { storeId: this.#needs.storeId, ...state });
  }

  /** Why the files cannot be trusted, found out without opening them here; empty when they can. */
  async #distrust(): Promise<string> {
    const { storeId } = this.#needs;
    if (this.#disk.kind(this.#data) !== "file") return "its data file is missing";
    const sidecar = readSidecar(this.#disk, this.#sidecar);
    if (sidecar === undefined) return "nothing vouches for its data file";
    if (sidecar.storeId !== storeId) return `it belongs to another store, ${sidecar.storeId}`;
    if (sidecar.clean) {
      const { size, checksum } = await checksumFile(this.#disk, this.#data);
      if (size !== sidecar.size) return `its data file has ${size} bytes, not ${sidecar.size}`;
      if (checksum !== sidecar.checksum) return "its data file was changed after it was closed";
      if (this.#options.verify === "unclean") return "";
    }
    const reason = await this.#verify();
    return reason === "" ? "" : `it was not sound: ${reason}`;
  }

  /** Verifies in a child process, and puts the copy it made in the place of the data file. */
  async #verify(): Promise<string> {
    const copy = `${this.#needs.dir}/${COPY}`;
    removeTree(this.#disk, copy);
    this.#remove(LOCK);
    this.#disk.makeDirectory(copy);
    const reason = await verifyInChild(this.#needs.dir, copy, this.#options.verifyMsMax);
    if (reason === "") {
      this.markDirty();
      this.#disk.rename(`${copy}/${DATA}`, this.#data);
    }
    removeTree(this.#disk, copy);
    return reason;
  }

  /** Opens files that passed; says why not if they are not this store's after all. */
  async #tryOpen(): Promise<Opened | string> {
    this.#remove(LOCK); // Left by a process that is gone; a damaged one would be believed.
    let store: Store;
    try {
      store = openStore(this.#needs.dir, { mapBytes: this.#options.mapBytes });
    } catch (error) {
      if (!isStorageError(error)) throw error;
      return error.message;
    }
    const meta = store.readMeta();
    const reason = this.#rejects(meta);
    if (reason === "" && meta !== undefined) {
      store.setSecret(meta.secret);
      const sidecar = readSidecar(this.#disk, this.#sidecar);
      const isClean = sidecar?.clean === true && sidecar.generation === meta.generation;
      return { store, meta, reason: "", isEmpty: false, isClean };
    }
    await store.close();
    return reason;
  }

  #rejects(meta: Meta | undefined): string {
    if (meta === undefined) return "its meta record is damaged or of another version";
    if (meta.storeId !== this.#needs.storeId) return `it belongs to another store, ${meta.storeId}`;
    if (meta.seed !== seedOf(this.#needs)) return "its hashes have another seed";
    return "";
  }

  #makeDirectory(): void {
    const { dir } = this.#needs;
    this.#disk.makeDirectory(dir);
    if (existsSync(dir)) return;
    throw new StorageError(
      "PLAN",
      `LMDB maps real files, and the disk given has ${dir} only in its own world: ` +
        "open the lmdb index with nodeDisk(), or take another index for a simulated disk",
      { facts: { path: dir } },
    );
  }

  #clear(): void {
    for (const name of [DATA, LOCK, SIDECAR]) this.#remove(name);
    removeTree(this.#disk, `${this.#needs.dir}/${COPY}`);
    this.#disk.syncDirectory(this.#needs.dir);
  }

  #remove(name: string): void {
    const path = `${this.#needs.dir}/${name}`;
    if (this.#disk.kind(path) !== "none") removeTree(this.#disk, path);
  }
}

function seedOf({ seed }: SeriesIndexNeeds): string {
  const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");
  return hex(seed.high) + hex(seed.low);
}
