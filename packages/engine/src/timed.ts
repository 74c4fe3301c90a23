import type {
  Allocator,
  BlockManager,
  ChunkCodec,
  ChunkState,
  Descriptor,
  Disk,
  KeyEncoder,
  Labels,
  Locks,
  Lsn,
  MaintainOptions,
  Postings,
  RecordBuffer,
  RecordCodec,
  RecordVisitor,
  Region,
  SeriesHasher,
  SeriesIndex,
  WalVisitor,
  WriteAheadLog,
  WriteBatch,
} from "@varve/contracts";
import { phase, type PhaseClock } from "./timing.ts";

/**
 * Decorators that charge a part's calls to phases. An engine whose timing is `off` has none of them, so
 * that a plain run pays nothing, not even a test.
 */

export function timedEncoder(part: KeyEncoder, clock: PhaseClock): KeyEncoder {
  const encodeKey = phase("encode key");
  return {
    encode(labels: Labels, batch: WriteBatch, row: number): void {
      if (!clock.active) return part.encode(labels, batch, row);
      clock.enter(encodeKey);
      part.encode(labels, batch, row);
      clock.leave();
    },
  };
}

export function timedHasher(part: SeriesHasher, clock: PhaseClock): SeriesHasher {
  const hash = phase("hash");
  return {
    hash(batch: WriteBatch, from: number, until: number): void {
      if (!clock.active) return part.hash(batch, from, until);
      clock.enter(hash);
      part.hash(batch, from, until);
      clock.leave();
    },
  };
}

export function timedLocks(part: Locks, clock: PhaseClock): Locks {
  const wait = phase("lock wait");
  const hold = phase("lock hold");
  return {
    acquire(): void {
      if (!clock.active) return part.acquire();
      clock.enter(wait);
      part.acquire();
      clock.leave();
    },
    release(): void {
      if (!clock.active) return part.release();
      clock.enter(hold);
      part.release();
      clock.leave();
    },
    get stats() {
      return part.stats;
    },
  };
}

export function timedIndex(part: SeriesIndex, clock: PhaseClock): SeriesIndex {
  const find = phase("find");
  const insert = phase("insert");
  return {
    find(batch: WriteBatch, from: number, until: number): void {
      if (!clock.active) return part.find(batch, from, until);
      clock.enter(find);
      part.find(batch, from, until);
      clock.leave();
    },
    insert(batch: WriteBatch, from: number, until: number): number {
      if (!clock.active) return part.insert(batch, from, until);
      clock.enter(insert);
      const inserted = part.insert(batch, from, until);
      clock.leave();
      return inserted;
    },
    adopt: (batch, from, until) => part.adopt(batch, from, until),
    settle: (nextRef) => part.settle(nextRef),
    drop: (refs, count) => part.drop(refs, count),
    keyBytes: (ref) => part.keyBytes(ref),
    copyKey: (ref, into, at) => part.copyKey(ref, into, at),
    get size() {
      return part.size;
    },
    get nextRef() {
      return part.nextRef;
    },
    get stats() {
      return part.stats;
    },
    commit: (coveredLsn: Lsn) => part.commit(coveredLsn),
    [Symbol.asyncDispose]: () => part[Symbol.asyncDispose](),
  };
}

export function timedPostings(part: Postings, clock: PhaseClock): Postings {
  const postings = phase("postings");
  return {
    add(batch: WriteBatch, from: number, until: number): void {
      if (!clock.active) return part.add(batch, from, until);
      clock.enter(postings);
      part.add(batch, from, until);
      clock.leave();
    },
    drop: (refs, count) => part.drop(refs, count),
    select: (matchers) => part.select(matchers),
    labelNames: (matchers) => part.labelNames(matchers),
    labelValues: (name, matchers) => part.labelValues(name, matchers),
    maintain: (budgetMs) => part.maintain(budgetMs),
    get stats() {
      return part.stats;
    },
    [Symbol.asyncDispose]: () => part[Symbol.asyncDispose](),
  };
}

export function timedCodec(part: RecordCodec, clock: PhaseClock): RecordCodec {
  const encodeRecord = phase("encode record");
  return {
    encode(batch: WriteBatch, from: number, until: number, into: RecordBuffer): void {
      if (!clock.active) return part.encode(batch, from, until, into);
      clock.enter(encodeRecord);
      part.encode(batch, from, until, into);
      clock.leave();
    },
    encodeSeries: (ref, key, from, until, into) => part.encodeSeries(ref, key, from, until, into),
    decode: (bytes: Uint8Array, from: number, until: number, visitor: RecordVisitor) =>
      part.decode(bytes, from, until, visitor),
  };
}

export function timedWal(part: WriteAheadLog, clock: PhaseClock): WriteAheadLog {
  const walWrite = phase("wal write");
  return {
    get accepted() {
      return part.accepted;
    },
    get written() {
      return part.written;
    },
    get durable() {
      return part.durable;
    },
    get buffer() {
      return part.buffer;
    },
    get stats() {
      return part.stats;
    },
    append(): Lsn {
      if (!clock.active) return part.append();
      clock.enter(walWrite);
      const lsn = part.append();
      clock.leave();
      return lsn;
    },
    commit: () => part.commit(),
    replay: (visit: WalVisitor) => part.replay(visit),
    checkpoint: (fill, until) => part.checkpoint(fill, until),
    truncateBefore: (lsn) => part.truncateBefore(lsn),
    [Symbol.asyncDispose]: () => part[Symbol.asyncDispose](),
  };
}

export function timedAllocator(part: Allocator, clock: PhaseClock): Allocator {
  const allocate = phase("allocate");
  return {
    acquire(bytes: number): Region {
      if (!clock.active) return part.acquire(bytes);
      clock.enter(allocate);
      const region = part.acquire(bytes);
      clock.leave();
      return region;
    },
    acquireMany(bytes: number, count: number, into: Uint32Array): number {
      if (!clock.active) return part.acquireMany(bytes, count, into);
      clock.enter(allocate);
      const got = part.acquireMany(bytes, count, into);
      clock.leave();
      return got;
    },
    release(region: Region): void {
      if (!clock.active) return part.release(region);
      clock.enter(allocate);
      part.release(region);
      clock.leave();
    },
    bytes: (region) => part.bytes(region),
    at: (region) => part.at(region),
    capacity: (region) => part.capacity(region),
    get stats() {
      return part.stats;
    },
  };
}

export function timedChunk(part: ChunkCodec, clock: PhaseClock): ChunkCodec {
  const seal = phase("seal");
  return {
    encoding: part.encoding,
    stateBytes: part.stateBytes,
    capacityMin: part.capacityMin,
    open: (state, stateAt, bytes, at) => part.open(state, stateAt, bytes, at),
    append: (state, stateAt, bytes, at, capacity, time, low, high) =>
      part.append(state, stateAt, bytes, at, capacity, time, low, high),
    ...(part.appendRows !== undefined && {
      appendRows: (batch, from, until, chunks) => part.appendRows!(batch, from, until, chunks),
    }),
    count: (state, stateAt) => part.count(state, stateAt),
    length: (state, stateAt) => part.length(state, stateAt),
    seal(state: ChunkState, stateAt: number, bytes: Uint8Array, at: number): number {
      if (!clock.active) return part.seal(state, stateAt, bytes, at);
      clock.enter(seal);
      const length = part.seal(state, stateAt, bytes, at);
      clock.leave();
      return length;
    },
    decode: (bytes, at, length, count, into) => part.decode(bytes, at, length, count, into),
    storedCount: (bytes, at, length) => part.storedCount(bytes, at, length),
  };
}

export function timedBlocks(part: BlockManager, clock: PhaseClock): BlockManager {
  const admit = phase("admit");
  const append = phase("append");
  return {
    admit(batch: WriteBatch, from: number, until: number): void {
      if (!clock.active) return part.admit(batch, from, until);
      clock.enter(admit);
      part.admit(batch, from, until);
      clock.leave();
    },
    withdraw: (batch, from, until) => part.withdraw(batch, from, until),
    append(batch: WriteBatch, from: number, until: number, lsn: Lsn): void {
      if (!clock.active) return part.append(batch, from, until, lsn);
      clock.enter(append);
      part.append(batch, from, until, lsn);
      clock.leave();
    },
    replay: (batch, from, until, lsn, isLate) => part.replay(batch, from, until, lsn, isLate),
    pin: (refs, count) => part.pin(refs, count),
    pinBlocks: (from, until) => part.pinBlocks(from, until),
    span: (ref, from, until, into) => part.span(ref, from, until, into),
    hide: (ref, minTime, maxTime, lsn) => part.hide(ref, minTime, maxTime, lsn),
    hidden: (visit) => part.hidden(visit),
    deleteStored: (matchers, from, until) => part.deleteStored(matchers, from, until),
    rest: () => part.rest(),
    idleLsn: (ref) => part.idleLsn(ref),
    forget: (refs, count) => part.forget(refs, count),
    maintain: (options: MaintainOptions) => part.maintain(options),
    get refMax() {
      return part.refMax;
    },
    get stats() {
      return part.stats;
    },
    [Symbol.asyncDispose]: () => part[Symbol.asyncDispose](),
  };
}

/** Charges a disk's calls: to `wal write` and `wal sync` under a log, to `persist` under a block manager. */
export function timedDisk(
  disk: Disk,
  clock: PhaseClock,
  names: { readonly write: "wal write" | "persist"; readonly sync: "wal sync" | "persist" },
): Disk {
  const write = phase(names.write);
  const sync = phase(names.sync);
  function charged<T>(index: number, call: () => T): T {
    if (!clock.active) return call();
    clock.enter(index);
    try {
      return call();
    } finally {
      if (clock.active) clock.leave();
    }
  }
  return {
    isVolatile: disk.isVolatile ?? false,
    open: (path, mode) => charged(write, () => disk.open(path, mode)),
    write: (fd: Descriptor, bytes: Uint8Array, from: number, length: number, position: number) =>
      charged(write, () => disk.write(fd, bytes, from, length, position)),
    read: (fd, bytes, from, length, position) => disk.read(fd, bytes, from, length, position),
    datasync: (fd) => charged(sync, () => disk.datasync(fd)),
    datasyncAsync: (fd) => disk.datasyncAsync(fd),
    syncDirectory: (path) => charged(sync, () => disk.syncDirectory(path)),
    syncDirectoryAsync: (path) => disk.syncDirectoryAsync(path),
    truncate: (fd, size) => charged(write, () => disk.truncate(fd, size)),
    size: (fd) => disk.size(fd),
    close: (fd) => charged(write, () => disk.close(fd)),
    rename: (from, to) => charged(write, () => disk.rename(from, to)),
    link: (from, to) => charged(write, () => disk.link(from, to)),
    unlink: (path) => charged(write, () => disk.unlink(path)),
    unlinkAsync: (path) => disk.unlinkAsync(path),
    makeDirectory: (path) => charged(write, () => disk.makeDirectory(path)),
    removeDirectory: (path) => charged(write, () => disk.removeDirectory(path)),
    list: (path) => disk.list(path),
    kind: (path) => disk.kind(path),
    free: (path) => disk.free(path),
    lock: (path) => disk.lock(path),
  };
}
