import {
  assert,
  type Lsn,
  type RecordBuffer,
  type WalNeeds,
  type WalRecovery,
  type WalStats,
  type WalTraits,
  type WalVisitor,
  type WriteAheadLog,
} from "@varve/contracts";

/** Asserts the order of calls, marks that are monotone and in order, and a buffer that is empty after append. */
export function checkedWal(wal: WriteAheadLog, _needs: WalNeeds, traits: WalTraits): WriteAheadLog {
  return new CheckedWal(wal, traits);
}

class CheckedWal implements WriteAheadLog {
  readonly #wal: WriteAheadLog;
  readonly #traits: WalTraits;
  #accepted: Lsn = 0;
  #written: Lsn = 0;
  #durable: Lsn = 0;
  #isReplayed = false;
  #isClosed = false;

  constructor(wal: WriteAheadLog, traits: WalTraits) {
    this.#wal = wal;
    this.#traits = traits;
  }

  get accepted(): Lsn {
    this.#look();
    return this.#accepted;
  }

  get written(): Lsn {
    this.#look();
    return this.#written;
  }

  get durable(): Lsn {
    this.#look();
    return this.#durable;
  }

  get buffer(): RecordBuffer {
    return this.#wal.buffer;
  }

  get stats(): WalStats {
    return this.#wal.stats;
  }

  append(): Lsn {
    assert(this.#isReplayed, "replay comes before the first append");
    assert(!this.#isClosed, "the log is open");
    const { buffer } = this.#wal;
    const isEmpty = buffer.count === 0;
    const end = isEmpty ? 0 : buffer.ends[buffer.count - 1];
    assert(
      end === buffer.length,
      `records are whole: they end at ${end}, the buffer at ${buffer.length}`,
    );
    const before = this.accepted;
    let lsn: Lsn;
    try {
      lsn = this.#wal.append();
    } catch (error) {
      this.#checkEmpty();
      this.#look();
      throw error;
    }
    this.#checkEmpty();
    const wanted = isEmpty ? before : before + 1;
    assert(lsn === wanted, `append returns the batch's number, ${wanted}, got ${lsn}`);
    assert(this.accepted === wanted, `accepted is ${wanted} after append, got ${this.#accepted}`);
    return lsn;
  }

  async commit(): Promise<Lsn> {
    assert(!this.#isClosed, "the log is open");
    const { accepted } = this;
    const durable = await this.#wal.commit();
    const covers = durable >= accepted || !this.#traits.persistent;
    assert(covers, `commit covers batch ${accepted}, got ${durable}`);
    assert(
      durable <= this.durable,
      `commit returns the durable mark, ${this.#durable}, got ${durable}`,
    );
    return durable;
  }

  replay(visit: WalVisitor): WalRecovery {
    assert(!this.#isReplayed, "replay is called once");
    let last: Lsn = 0;
    const recovery = this.#wal.replay((bytes, from, until, lsn) => {
      assert(from >= 0 && from <= until && until <= bytes.length, "a record lies in its bytes");
      assert(lsn >= last, `batches are told oldest first: ${lsn} follows ${last}`);
      last = lsn;
      visit(bytes, from, until, lsn);
    });
    this.#isReplayed = true;
    assert(recovery.lastLsn >= last, `lastLsn is at least ${last}, got ${recovery.lastLsn}`);
    this.#look();
    return recovery;
  }

  async checkpoint(fill: (into: RecordBuffer) => boolean, until: Lsn): Promise<void> {
    assert(until <= this.accepted, `a checkpoint stands for batches accepted, got ${until}`);
    await this.#wal.checkpoint((into) => {
      assert(into.count === 0 && into.length === 0, "fill is called with an empty buffer");
      return fill(into);
    }, until);
    this.#look();
  }

  async truncateBefore(lsn: Lsn): Promise<void> {
    await this.#wal.truncateBefore(lsn);
    this.#look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#wal[Symbol.asyncDispose]();
  }

  #checkEmpty(): void {
    const { count, length } = this.#wal.buffer;
    assert(count === 0 && length === 0, "the buffer is empty after append");
  }

  /** Reads the marks, the lowest first: a worker may raise them at any time. */
  #look(): void {
    const durable = this.#wal.durable;
    const written = this.#wal.written;
    const accepted = this.#wal.accepted;
    assert(durable >= this.#durable, `durable never falls: ${durable} after ${this.#durable}`);
    assert(written >= this.#written, `written never falls: ${written} after ${this.#written}`);
    assert(accepted >= this.#accepted, `accepted never falls: ${accepted} after ${this.#accepted}`);
    assert(durable <= written, `what is durable is written: ${durable} <= ${written}`);
    assert(written <= accepted, `what is written was accepted: ${written} <= ${accepted}`);
    this.#durable = durable;
    this.#written = written;
    this.#accepted = accepted;
  }
}
