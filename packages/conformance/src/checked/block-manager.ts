import {
  assert,
  isTaken,
  OPEN,
  type BlockManager,
  type BlockManagerStats,
  type BlocksPin,
  type Lsn,
  type MaintainOptions,
  type MaintainReport,
  type Matcher,
  type ReadPin,
  type SampleColumns,
  type SeriesRef,
  type WriteBatch,
} from "@varve/contracts";
import { checkRange } from "./range.ts";

interface Admitted {
  readonly batch: WriteBatch;
  readonly row: number;
  readonly ref: SeriesRef;
  readonly time: number;
}

/** Asserts the order admit, append or withdraw; rows as they were admitted; pins that are open; marks that rise. */
export function checkedBlockManager(blocks: BlockManager): BlockManager {
  return new CheckedBlocks(blocks);
}

class CheckedBlocks implements BlockManager {
  readonly #blocks: BlockManager;
  readonly #admitted: Admitted[] = [];
  #lastLsn: Lsn = 0;
  #durableLsn: Lsn = 0;
  #cutTime = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(blocks: BlockManager) {
    this.#blocks = blocks;
  }

  get refMax(): SeriesRef {
    return this.#blocks.refMax;
  }

  get stats(): BlockManagerStats {
    return this.#blocks.stats;
  }

  admit(batch: WriteBatch, from: number, until: number): void {
    this.#enter(batch, from, until);
    const status = batch.status.slice();
    for (let row = from; row < until; row += 1) {
      if (status[row] !== OPEN) continue;
      assert(batch.refs[row] !== 0, `open row ${row} has a ref`);
      assert(Number.isSafeInteger(batch.times[row]), `time of row ${row} is a safe integer`);
    }
    this.#blocks.admit(batch, from, until);
    for (let row = 0; row < batch.length; row += 1) {
      const isOurs = row >= from && row < until && status[row] === OPEN;
      if (!isOurs) {
        assert(batch.status[row] === status[row], `admit leaves the status of row ${row} alone`);
        continue;
      }
      assert(batch.status[row] !== OPEN, `admit decides row ${row}`);
      if (!isTaken(batch.status[row]!)) continue;
      this.#admitted.push({ batch, row, ref: batch.refs[row]!, time: batch.times[row]! });
    }
  }

  withdraw(batch: WriteBatch, from: number, until: number): void {
    this.#enter(batch, from, until);
    const rows = takenRows(batch, from, until);
    for (const row of rows.toReversed()) {
      const last = this.#admitted.pop();
      const isLast = last !== undefined && last.batch === batch && last.row === row;
      assert(isLast, `row ${row} that is withdrawn is the latest admitted`);
    }
    this.#blocks.withdraw(batch, from, until);
    for (const row of rows)
      assert(batch.status[row] === OPEN, `withdrawn row ${row} is open again`);
  }

  append(batch: WriteBatch, from: number, until: number, lsn: Lsn): void {
    this.#enter(batch, from, until);
    assert(lsn >= this.#lastLsn, `batches are applied in order: ${lsn} after ${this.#lastLsn}`);
    this.#lastLsn = lsn;
    for (const row of takenRows(batch, from, until)) {
      const first = this.#admitted.shift();
      const isFirst = first !== undefined && first.batch === batch && first.row === row;
      assert(isFirst, `row ${row} that is applied is the oldest admitted`);
      assert(
        first.ref === batch.refs[row],
        `row ${row} has the ref that was admitted, ${first.ref}`,
      );
      assert(
        first.time === batch.times[row],
        `row ${row} has the time that was admitted, ${first.time}`,
      );
    }
    this.#blocks.append(batch, from, until, lsn);
  }

  replay(batch: WriteBatch, from: number, until: number, lsn: Lsn, isLate: boolean): void {
    this.#enter(batch, from, until);
    assert(this.#admitted.length === 0, "no admitted row waits while the log is told");
    assert(lsn >= this.#lastLsn, `batches are told in order: ${lsn} after ${this.#lastLsn}`);
    this.#lastLsn = lsn;
    const open = batch.status.slice();
    this.#blocks.replay(batch, from, until, lsn, isLate);
    for (let row = from; row < until; row += 1) {
      if (open[row] === OPEN) assert(batch.status[row] !== OPEN, `replay decides row ${row}`);
    }
  }

  pinBlocks(from: number, until: number): BlocksPin {
    assert(!this.#isClosed, "the block manager is open");
    const pin = this.#blocks.pinBlocks(from, until);
    for (const { id, minTime, maxTime } of pin.blocks) {
      assert(minTime < until && maxTime > from, `block ${id} reaches into ${from} … ${until}`);
    }
    return pin;
  }

  span(ref: SeriesRef, from: number, until: number, into: Float64Array): boolean {
    assert(!this.#isClosed, "the block manager is open");
    const isAny = this.#blocks.span(ref, from, until, into);
    if (isAny) {
      const isInside = from <= into[0]! && into[0]! <= into[1]! && into[1]! < until;
      assert(isInside, `span ${into[0]} … ${into[1]} lies in ${from} … ${until}`);
    }
    return isAny;
  }

  hide(ref: SeriesRef, minTime: number, maxTime: number, lsn: Lsn): void {
    assert(!this.#isClosed, "the block manager is open");
    assert(minTime <= maxTime, `an interval is hidden, got ${minTime} … ${maxTime}`);
    this.#blocks.hide(ref, minTime, maxTime, lsn);
  }

  hidden(visit: (ref: SeriesRef, minTime: number, maxTime: number) => void): void {
    this.#blocks.hidden(visit);
  }

  deleteStored(matchers: readonly Matcher[], from: number, until: number): Promise<number> {
    assert(!this.#isClosed, "the block manager is open");
    return this.#blocks.deleteStored(matchers, from, until);
  }

  rest(): Promise<Disposable> {
    assert(!this.#isClosed, "the block manager is open");
    return this.#blocks.rest();
  }

  idleLsn(ref: SeriesRef): Lsn {
    assert(!this.#isClosed, "the block manager is open");
    return this.#blocks.idleLsn(ref);
  }

  forget(refs: Uint32Array, count: number): void {
    assert(!this.#isClosed, "the block manager is open");
    for (let i = 0; i < count; i += 1) {
      const isIdle = this.#blocks.idleLsn(refs[i]!) !== Number.POSITIVE_INFINITY;
      assert(isIdle, `series ${refs[i]} that is forgotten has no samples here`);
    }
    this.#blocks.forget(refs, count);
  }

  pin(refs: Uint32Array, count: number): ReadPin {
    assert(!this.#isClosed, "the block manager is open");
    assert(count <= refs.length, `there are ${count} refs to pin, got ${refs.length}`);
    return checkedPin(this.#blocks.pin(refs, count), count);
  }

  async maintain(options: MaintainOptions): Promise<MaintainReport> {
    assert(!this.#isClosed, "the block manager is open");
    const report = await this.#blocks.maintain(options);
    const { durableLsn, cutTime } = report;
    assert(cutTime >= this.#cutTime, `cutTime never falls: ${cutTime}`);
    this.#cutTime = cutTime;
    assert(durableLsn >= this.#durableLsn, `durableLsn never falls: ${durableLsn}`);
    assert(report.settledLsn >= durableLsn, `what is durable is settled: ${durableLsn}`);
    assert(report.pending >= 0, `pending chunks are counted, got ${report.pending}`);
    this.#durableLsn = durableLsn;
    return report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#blocks[Symbol.asyncDispose]();
  }

  #enter(batch: WriteBatch, from: number, until: number): void {
    assert(!this.#isClosed, "the block manager is open");
    checkRange(batch, from, until);
  }
}

function takenRows(batch: WriteBatch, from: number, until: number): number[] {
  const rows: number[] = [];
  for (let row = from; row < until; row += 1) if (isTaken(batch.status[row]!)) rows.push(row);
  return rows;
}

function checkedPin(pin: ReadPin, count: number): ReadPin {
  let isOpen = true;
  return {
    read(i: number, from: number, until: number, into: SampleColumns): void {
      assert(isOpen, "a pin is read before it is disposed");
      assert(i >= 0 && i < count, `series ${i} is one of the ${count} pinned`);
      const before = into.length;
      pin.read(i, from, until, into);
      for (let at = before; at < into.length; at += 1) {
        const time = into.times[at]!;
        assert(time >= from && time < until, `time ${time} lies in ${from} … ${until}`);
        if (at > before) assert(time > into.times[at - 1]!, "samples are read oldest first");
      }
    },
    [Symbol.dispose](): void {
      isOpen = false;
      pin[Symbol.dispose]();
    },
  };
}
