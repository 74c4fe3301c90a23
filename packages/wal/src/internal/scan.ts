import { makeRecordBuffer, readU32, readU64 } from "@varve/bytes";
import { type Disk, type Lsn, type RecordBuffer } from "@varve/contracts";
import { Chain } from "./chain.ts";
import { checkVersion, foreignError } from "./damage.ts";
import {
  BATCH,
  BELIEVE_ALL,
  CHECK_ALL,
  DAMAGE,
  FILE_END,
  LANDED,
  LOG_END,
  RECORD,
} from "./scan-events.ts";
import { FragmentReader, type FaultKind } from "./fragments.ts";
import {
  COMMIT_BYTES,
  COMMIT_TYPE,
  END_BYTES,
  FIRST,
  FULL,
  HEADER_BYTES,
  isReserved,
  LAST,
  pageEnd,
  SEGMENT_BYTES,
  SEGMENT_TYPE,
  STORE_ID_BYTES,
} from "./layout.ts";

export interface ScanOptions {
  readonly disk: Disk;
  readonly storeId: Uint8Array;
  /** Stop at each record instead of gathering batches. */
  readonly each?: boolean;
}

const NOWHERE = -1;

/** Reads batches from segment files in order, checking numbers, counts and the chain. */
export class Scan {
  /** Last whole batch. */
  lsn: Lsn = 0;
  readonly #chain = new Chain();
  /** Largest `durableLsn` that a commit record told. */
  durableSeen: Lsn = 0;
  readonly batch: RecordBuffer = makeRecordBuffer({ bytes: 16 * 1024 });
  /** Where the last whole batch, or the segment's first record, ends in the file. */
  good = 0;
  /** The log was closed here. */
  ended = false;
  /** Where the end record begins in the file, when the log was closed. */
  endAt = 0;
  faultKind: FaultKind = "crc";
  faultText = "";
  faultOffset = 0;
  readonly reader: FragmentReader;
  readonly #storeId: Uint8Array;
  readonly #each: boolean;
  #path = "";
  #belief = CHECK_ALL;
  #drifts = false;
  #sawHead = false;
  /** A record is open, of which at least one fragment was read. */
  #open = false;
  #recordFrom = 0;
  #recordAt = 0;
  #runBefore = 0;
  #count = 0;
  /** `batch` was told to the caller: it is empty from the next step on. */
  #told = false;
  /** An intact record that did not fit what was expected: drifting lands on it. -1 for none. */
  #landLsn: Lsn = NOWHERE;
  #landChain = 0;
  #landDurable: Lsn = 0;
  #landEnds = false;

  constructor(options: ScanOptions) {
    this.reader = new FragmentReader(options.disk);
    this.#storeId = options.storeId;
    this.#each = options.each ?? false;
  }

  /** The chain after the last private record. */
  get chain(): number {
    return this.#chain.value;
  }

  /** Starts a file. `belief` says what its first record is believed about. */
  open(fd: number, path: string, belief: number = CHECK_ALL): void {
    this.reader.open(fd);
    this.#path = path;
    this.#belief = belief;
    this.#drifts = false;
    this.#sawHead = false;
    this.good = 0;
    this.#landLsn = NOWHERE;
    this.#drop();
  }

  /** The file ended within a batch. */
  get isOpen(): boolean {
    return this.#open || this.#count > 0;
  }

  /** Damage was passed, and nothing intact was found since. */
  get isAdrift(): boolean {
    return this.#drifts;
  }

  /** True when nothing but padding follows the last whole batch. */
  get isWhole(): boolean {
    return !this.isOpen && this.#sawHead && this.reader.size <= pageEnd(this.good);
  }

  /** The segment's first record was read. */
  get hasHead(): boolean {
    return this.#sawHead;
  }

  /** Goes on after damage: skips to the next commit record. */
  drift(): void {
    this.#drifts = true;
    this.#drop();
  }

  next(): number {
    if (this.#landLsn !== NOWHERE && this.#drifts) return this.#land();
    if (this.#told) {
      this.#told = false;
      this.batch.clear();
    }
    for (;;) {
      const step = this.reader.next();
      if (step === 0) return FILE_END;
      if (step < 0) {
        if (!this.#drifts)
          return this.#damage(this.reader.fault, this.reader.faultText, this.reader.offset);
        this.#drop();
        this.reader.resync();
        continue;
      }
      if (!this.#fragment()) {
        if (this.#drifts) continue;
        return this.#damage("sequence", "a fragment out of order", this.reader.offset);
      }
      if (this.#open) continue;
      const event = this.#record();
      if (event >= 0) return event;
    }
  }

  /** Takes a fragment. False if it cannot follow the one before. */
  #fragment(): boolean {
    const { reader, batch } = this;
    const { type, from, until } = reader;
    const starts = type === FULL || type === FIRST;
    if (starts === this.#open) {
      this.#drop();
      if (!starts) return false;
      if (!this.#drifts) return false;
    }
    if (starts) {
      this.#recordFrom = batch.length;
      this.#recordAt = reader.offset;
      this.#runBefore = this.#chain.run;
    }
    this.#chain.cover(reader.bytes, from - HEADER_BYTES, from);
    const length = until - from;
    batch.reserve(length);
    if (length > 0) batch.bytes.set(reader.bytes.subarray(from, until), batch.length);
    batch.length += length;
    this.#open = type !== FULL && type !== LAST;
    return true;
  }

  /** Takes a whole record: an event, or -1 to go on. */
  #record(): number {
    const { batch } = this;
    const from = this.#recordFrom;
    const type = batch.length > from ? batch.bytes[from]! : 0;
    if (!this.#sawHead && type !== SEGMENT_TYPE && !this.#drifts) {
      return this.#damage(
        "header",
        "a segment that does not start with its record",
        this.#recordAt,
      );
    }
    if (!isReserved(type)) {
      if (this.ended && !this.#drifts)
        return this.#damage("sequence", "a record after the log's end", this.#recordAt);
      this.#count += 1;
      batch.endRecord();
      if (this.#each) {
        this.#told = true;
        return RECORD;
      }
      if (this.#drifts) this.#forgetRecords();
      return -1;
    }
    // A private record does not count for the chain with its headers, only with its bytes.
    this.#chain.run = this.#runBefore;
    const length = batch.length - from;
    batch.length = from;
    if (type === COMMIT_TYPE) return this.#commit(batch.bytes, from, length);
    if (type === SEGMENT_TYPE) return this.#head(batch.bytes, from, length);
    return this.#end(batch.bytes, from, length);
  }

  #commit(bytes: Uint8Array, at: number, length: number): number {
    // First the version: a newer one may have another length, and is no damage.
    if (!this.#drifts && length > 1) checkVersion(bytes[at + 1]!, this.#path, this.#recordAt);
    if (length !== COMMIT_BYTES) return this.#malformed("a commit record", length);
    const records = readU32(bytes, at + 2);
    const lsn = readU64(bytes, at + 6);
    const durable = readU64(bytes, at + 14);
    const chain = readU32(bytes, at + COMMIT_BYTES - 4);
    if (!isCounted(lsn) || !isCounted(durable)) return this.#farNumber("a commit record");
    if (this.#drifts) {
      // Anything at or below what is known cannot follow it.
      if (lsn <= this.lsn) return this.#forgetRecords();
    } else {
      if (this.ended)
        return this.#damage("sequence", "a batch after the log's end", this.#recordAt);
      if (lsn !== this.lsn + 1) {
        this.#remember(lsn, chain, durable, false);
        return this.#damage(
          "sequence",
          `batch ${lsn} where ${this.lsn + 1} belongs`,
          this.#recordAt,
        );
      }
      if (this.#chain.of(bytes, at, at + COMMIT_BYTES - 4) !== chain) {
        this.#remember(lsn, chain, durable, false);
        return this.#damage(
          "chain",
          `batch ${lsn} does not continue the log before it`,
          this.#recordAt,
        );
      }
      if (records !== this.#count) {
        return this.#damage(
          "sequence",
          `batch ${lsn} of ${records} records has ${this.#count}`,
          this.#recordAt,
        );
      }
    }
    this.lsn = lsn;
    this.#chain.set(chain);
    this.good = this.reader.position;
    this.durableSeen = Math.max(this.durableSeen, durable);
    this.#count = 0;
    if (!this.#drifts) {
      this.#told = true;
      return BATCH;
    }
    this.#drifts = false;
    this.#sawHead = true; // Or it was lost: what follows is checked without it.
    this.#forgetRecords();
    return LANDED;
  }

  #head(bytes: Uint8Array, at: number, length: number): number {
    if (this.#drifts) return this.#forgetRecords();
    if (this.#sawHead) return this.#damage("sequence", "a second segment record", this.#recordAt);
    if (length > 1) checkVersion(bytes[at + 1]!, this.#path, this.#recordAt);
    if (length !== SEGMENT_BYTES) return this.#malformed("a segment record", length);
    for (let i = 0; i < STORE_ID_BYTES; i += 1) {
      if (bytes[at + 2 + i] !== this.#storeId[i]) throw foreignError(this.#path, this.lsn + 1);
    }
    const firstLsn = readU64(bytes, at + 2 + STORE_ID_BYTES);
    const chain = readU32(bytes, at + SEGMENT_BYTES - 4);
    if (!isCounted(firstLsn)) return this.#farNumber("a segment record");
    const follows = firstLsn === this.lsn + 1;
    // The segment was made only after all before it was durable.
    this.durableSeen = Math.max(this.durableSeen, firstLsn - 1);
    if (this.#belief === BELIEVE_ALL && firstLsn > this.lsn) {
      this.lsn = firstLsn - 1;
    } else if (!follows) {
      this.#remember(firstLsn - 1, chain, firstLsn - 1, false);
      return this.#damage(
        "sequence",
        `a segment from batch ${firstLsn} on where ${this.lsn + 1} belongs`,
        0,
      );
    } else if (
      this.#belief === CHECK_ALL &&
      this.#chain.of(bytes, at, at + SEGMENT_BYTES - 4) !== chain
    ) {
      this.#remember(firstLsn - 1, chain, firstLsn - 1, false);
      return this.#damage("chain", "a segment that does not continue the one before it", 0);
    }
    this.#sawHead = true;
    this.ended = false;
    this.#chain.set(chain);
    this.good = this.reader.position;
    return -1;
  }

  #end(bytes: Uint8Array, at: number, length: number): number {
    if (length !== END_BYTES) return this.#malformed("an end record", length);
    const lsn = readU64(bytes, at + 1);
    const chain = readU32(bytes, at + END_BYTES - 4);
    if (!isCounted(lsn)) return this.#farNumber("an end record");
    if (this.#drifts) {
      if (lsn < this.lsn) return this.#forgetRecords();
    } else if (this.#count > 0 || lsn !== this.lsn) {
      this.#remember(lsn, chain, lsn, true);
      return this.#damage(
        "sequence",
        `an end after batch ${lsn} where ${this.lsn} was the last`,
        this.#recordAt,
      );
    } else if (this.#chain.of(bytes, at, at + END_BYTES - 4) !== chain) {
      return this.#damage(
        "chain",
        "an end record that does not continue the log before it",
        this.#recordAt,
      );
    }
    // It was written only after all before it was durable.
    this.durableSeen = lsn;
    this.lsn = lsn;
    this.ended = true;
    this.endAt = this.#recordAt;
    this.#drifts = false;
    this.#chain.set(chain);
    this.good = this.reader.position;
    return LOG_END;
  }

  /** An intact record does not fit what was before it, but what follows can be checked against it. */
  #remember(lsn: Lsn, chain: number, durable: Lsn, ends: boolean): void {
    // A segment may go on from the last batch; within one, anything at or below it cannot follow.
    if (this.#sawHead ? lsn <= this.lsn : lsn < this.lsn) return;
    this.#landLsn = lsn;
    this.#landChain = chain;
    this.#landDurable = durable;
    this.#landEnds = ends;
  }

  #land(): number {
    this.lsn = this.#landLsn;
    this.#landLsn = NOWHERE;
    this.#sawHead = true;
    this.durableSeen = Math.max(this.durableSeen, this.#landDurable);
    this.ended = this.#landEnds;
    this.endAt = this.#recordAt;
    this.good = this.reader.position;
    this.#chain.set(this.#landChain);
    this.#drifts = false;
    return this.ended ? LOG_END : LANDED;
  }

  #malformed(what: string, length: number): number {
    return this.#damage("header", `${what} of ${length} bytes`, this.#recordAt);
  }

  #farNumber(what: string): number {
    return this.#damage("header", `${what} whose number no batch can have`, this.#recordAt);
  }

  #damage(kind: FaultKind, text: string, offset: number): number {
    if (this.#drifts) return this.#forgetRecords();
    this.faultKind = kind;
    this.faultText = text;
    this.faultOffset = offset;
    return DAMAGE;
  }

  #forgetRecords(): number {
    this.batch.clear();
    this.#count = 0;
    return -1;
  }

  #drop(): void {
    this.#forgetRecords();
    this.#open = false;
  }
}

/** Another number follows it: beyond the safe integers, numbers would stand still. */
function isCounted(lsn: Lsn): boolean {
  return lsn < Number.MAX_SAFE_INTEGER;
}
