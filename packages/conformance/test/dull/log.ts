import { crc32c, makeRecordBuffer, readU32, writeU32 } from "@varve/bytes";
import {
  isStorageError,
  StorageError,
  type Lsn,
  type RecordBuffer,
  type Variant,
  type WalNeeds,
  type WalRecovery,
  type WalStats,
  type WalVisitor,
  type WriteAheadLog,
} from "@varve/contracts";
import { readAll, writeAll, writeFileDurably } from "@varve/disk/transfer";

/** What a log can do wrong, one thing at a time. */
export type LogBug =
  | "loses the last batch"
  | "never syncs"
  | "never checks checksums"
  | "retries a failed sync"
  | "never syncs names"
  | "ignores short writes"
  | "keeps what it refused"
  | "writes a batch in halves"
  | "forgets the numbers"
  | "skips empty records"
  | "is not poisoned by a write"
  | "appends behind a torn tail";

const MAGIC = 0x64_75_6c_6c;
const HEAD_BYTES = 12;
const STORE = 0;
const BATCH = 1;
const CHECKPOINT = 2;
const END = 3;

interface Frame {
  readonly kind: number;
  readonly lsn: Lsn;
  /** Records, each behind its length. */
  readonly body: Uint8Array;
  /** Where it was found in the file. */
  readonly at?: number;
}

/** One file, one frame a batch, one sync an append: a log to compare others with. */
export function dullWal(bug?: LogBug): Variant<"wal"> {
  return {
    slot: "wal",
    name: bug === undefined ? "dull" : `dull that ${bug}`,
    traits: { acknowledges: "durable", persistent: true, threaded: false },
    open: (needs) => new DullLog(needs, bug),
  };
}

class DullLog implements WriteAheadLog {
  accepted: Lsn = 0;
  written: Lsn = 0;
  durable: Lsn = 0;
  readonly buffer: RecordBuffer = makeRecordBuffer({ bytes: 256 });
  readonly #needs: WalNeeds;
  readonly #bug: LogBug | undefined;
  readonly #path: string;
  #frames: Frame[] = [];
  readonly #recovery: WalRecovery;
  #fd: number;
  #size = 0;
  #failure: unknown;
  #stats = { batches: 0, recordBytes: 0, framedBytes: 0, writes: 0, syncs: 0, stalls: 0 };

  constructor(needs: WalNeeds, bug: LogBug | undefined) {
    this.#needs = needs;
    this.#bug = bug;
    this.#path = `${needs.dir}/log`;
    const { disk, dir } = needs;
    disk.makeDirectory(dir);
    if (bug !== "never syncs names") disk.syncDirectory(dir.slice(0, dir.lastIndexOf("/")));
    this.#recovery = this.#recover();
    this.#fd = disk.open(this.#path, "update");
    this.#size = disk.size(this.#fd);
    const last = this.#frames.at(-1)?.lsn ?? 0;
    if (bug !== "forgets the numbers") this.accepted = this.written = this.durable = last;
  }

  get stats(): WalStats {
    return { ...this.#stats, bytesOnDisk: this.#size };
  }

  append(): Lsn {
    if (this.#failure !== undefined) {
      this.buffer.clear();
      throw new StorageError("POISONED", "it failed before", { cause: this.#failure });
    }
    if (this.buffer.count === 0) return this.accepted;
    const lsn = this.accepted + 1;
    const body = bodyOf(this.buffer, this.#bug === "skips empty records");
    const { count, length } = this.buffer;
    this.buffer.clear();
    if (this.#bug === "writes a batch in halves" && count > 1) {
      const half = 4 + readU32(body, 0);
      this.#write({ kind: BATCH, lsn, body: body.slice(0, half) });
      this.#write({ kind: BATCH, lsn, body: body.slice(half) });
    } else {
      this.#write({ kind: BATCH, lsn, body });
    }
    this.accepted = this.written = lsn;
    this.#sync();
    this.durable = lsn;
    this.#stats.batches += 1;
    this.#stats.recordBytes += length;
    return lsn;
  }

  async commit(): Promise<Lsn> {
    if (this.#failure !== undefined) throw new StorageError("POISONED", "it failed before");
    return this.durable;
  }

  replay(visit: WalVisitor): WalRecovery {
    const told = this.#bug === "loses the last batch" ? this.#frames.slice(0, -1) : this.#frames;
    for (const { lsn, body } of told) {
      for (let at = 0; at < body.length;) {
        const length = readU32(body, at);
        visit(body, at + 4, at + 4 + length, lsn);
        at += 4 + length;
      }
    }
    return this.#recovery;
  }

  async checkpoint(fill: (into: RecordBuffer) => boolean, until: Lsn): Promise<void> {
    const into = makeRecordBuffer({ bytes: 256 });
    const bodies: Uint8Array[] = [];
    for (let goesOn = true; goesOn;) {
      into.clear();
      goesOn = fill(into);
      bodies.push(bodyOf(into));
    }
    const kept = this.#scan().frames.filter(({ kind, lsn }) => kind === BATCH && lsn > until);
    const frame = { kind: CHECKPOINT, lsn: until, body: Uint8Array.from(Buffer.concat(bodies)) };
    this.#rewrite([frame, ...kept]);
    this.#needs.disk.close(this.#fd);
    this.#fd = this.#needs.disk.open(this.#path, "update");
    this.#size = this.#needs.disk.size(this.#fd);
  }

  async truncateBefore(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#failure !== undefined) return;
      this.#write({ kind: END, lsn: this.accepted, body: new Uint8Array(0) });
      this.#sync();
    } finally {
      this.#needs.disk.close(this.#fd);
    }
  }

  #write(frame: Frame): void {
    const bytes = encode(frame, this.#needs.storeId);
    const { disk } = this.#needs;
    this.#stats.writes += 1;
    this.#stats.framedBytes += bytes.length;
    try {
      if (this.#bug === "ignores short writes")
        disk.write(this.#fd, bytes, 0, bytes.length, this.#size);
      else writeAll(disk, this.#fd, bytes, 0, bytes.length, this.#size);
    } catch (error) {
      if (this.#bug === "keeps what it refused") this.accepted += 1;
      if (!isStorageError(error, "STORAGE_FULL") && this.#bug !== "is not poisoned by a write") {
        this.#failure = error;
      }
      throw error;
    }
    this.#size += bytes.length;
  }

  #sync(): void {
    if (this.#bug === "never syncs") return;
    this.#stats.syncs += 1;
    try {
      this.#needs.disk.datasync(this.#fd);
    } catch (error) {
      this.#failure = error;
      if (this.#bug !== "retries a failed sync") throw error;
      this.#needs.disk.datasync(this.#fd);
      this.#failure = undefined;
    }
  }

  #recover(): WalRecovery {
    const { disk, recovery: mode, quarantineDir } = this.#needs;
    const isNew = disk.kind(this.#path) === "none";
    if (isNew) this.#rewrite([]);
    const { frames, bad, isDamaged, size } = this.#scan();
    const isClosed = frames.at(-1)?.kind === END && bad < 0;
    const isTorn = bad >= 0 && !isDamaged;
    if ((isDamaged && (mode === "tail" || mode === "strict")) || (isTorn && mode === "strict")) {
      throw new StorageError("WAL_CORRUPT", `${this.#path}@${bad}: damaged`);
    }
    const kept =
      mode === "pointInTime" ? frames.filter(({ at = 0 }) => bad < 0 || at < bad) : frames;
    this.#frames = kept.filter(({ kind }) => kind === BATCH || kind === CHECKPOINT);
    const quarantined: string[] = [];
    if (bad >= 0) {
      disk.makeDirectory(quarantineDir);
      writeFileDurably(disk, `${quarantineDir}/log.${bad}`, readAll(disk, this.#path));
      quarantined.push(`quarantine/log.${bad}`);
    }
    const mayStay = this.#bug === "appends behind a torn tail" && isTorn;
    if (!isNew && !mayStay) this.#rewrite(this.#frames);
    return {
      mode,
      unclean: !isNew && !isClosed,
      segments: 1,
      records: this.#frames.reduce((sum, { body }) => sum + recordsIn(body), 0),
      lastLsn: this.#frames.at(-1)?.lsn ?? 0,
      bytesCut: isTorn ? size - bad : 0,
      cutReason: isTorn ? "torn" : "",
      quarantined,
    };
  }

  #rewrite(frames: readonly Frame[]): void {
    const store = { kind: STORE, lsn: 0, body: new Uint8Array(0) };
    const bytes = Buffer.concat(
      [store, ...frames].map((frame) => encode(frame, this.#needs.storeId)),
    );
    const { disk } = this.#needs;
    if (this.#bug !== "never syncs names") {
      writeFileDurably(disk, this.#path, bytes);
      return;
    }
    if (disk.kind(this.#path) !== "none") disk.unlink(this.#path);
    const fd = disk.open(this.#path, "create");
    writeAll(disk, fd, bytes, 0, bytes.length, 0);
    disk.datasync(fd);
    disk.close(fd);
  }

  /** Every good frame; where bytes are bad; and whether a good frame follows, so that it is no torn tail. */
  #scan(): { frames: Frame[]; bad: number; isDamaged: boolean; size: number } {
    const bytes = readAll(this.#needs.disk, this.#path);
    const checks = this.#bug !== "never checks checksums";
    const frames: Frame[] = [];
    let bad = -1;
    let isDamaged = false;
    for (let at = 0; at < bytes.length;) {
      const end = frameEnd(bytes, at, this.#needs.storeId, checks);
      if (end < 0) {
        if (bad < 0) bad = at;
        at += 1;
        continue;
      }
      isDamaged ||= bad >= 0;
      const kind = bytes[at + HEAD_BYTES]!;
      const lsn = readU32(bytes, at + HEAD_BYTES + 1);
      const body = bytes.slice(at + HEAD_BYTES + 5, end);
      if (kind !== STORE) frames.push({ kind, lsn, body, at });
      at = end;
    }
    // Files appear whole, by a rename: a bad first frame is no torn tail.
    isDamaged ||= bad === 0;
    return { frames, bad, isDamaged, size: bytes.length };
  }
}

/** Where the frame at `at` ends; -1 when there is no good one. */
function frameEnd(bytes: Uint8Array, at: number, storeId: string, checks: boolean): number {
  if (at + HEAD_BYTES + 5 > bytes.length || readU32(bytes, at) !== MAGIC) return -1;
  const end = at + HEAD_BYTES + readU32(bytes, at + 4);
  if (end < at + HEAD_BYTES + 5 || end > bytes.length) return -1;
  const sum = crc32c(bytes, at + HEAD_BYTES, end, seedOf(storeId));
  return sum === readU32(bytes, at + 8) || !checks ? end : -1;
}

function encode({ kind, lsn, body }: Frame, storeId: string): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + 5 + body.length);
  writeU32(bytes, 0, MAGIC);
  writeU32(bytes, 4, 5 + body.length);
  bytes[HEAD_BYTES] = kind;
  writeU32(bytes, HEAD_BYTES + 1, lsn);
  bytes.set(body, HEAD_BYTES + 5);
  writeU32(bytes, 8, crc32c(bytes, HEAD_BYTES, bytes.length, seedOf(storeId)));
  return bytes;
}

/** Checksums start from the store's id: frames of another store are bad ones. */
function seedOf(storeId: string): number {
  const bytes = Buffer.from(storeId, "hex");
  return crc32c(bytes, 0, bytes.length);
}

function bodyOf(buffer: RecordBuffer, skipsEmpty = false): Uint8Array {
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let i = 0; i < buffer.count; i += 1) {
    const end = buffer.ends[i]!;
    const length = new Uint8Array(4);
    writeU32(length, 0, end - start);
    if (end > start || !skipsEmpty) parts.push(length, buffer.bytes.slice(start, end));
    start = end;
  }
  return Uint8Array.from(Buffer.concat(parts));
}

function recordsIn(body: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < body.length; at += 4 + readU32(body, at)) count += 1;
  return count;
}
