import { crc32c, readU32, writeU32 } from "@varve/bytes";
import {
  ACCEPTED,
  CONFLICT,
  LIMIT,
  NO_REGION,
  OPEN,
  OUT_OF_ORDER,
  REPEATED,
  StorageError,
  type BlockManager,
  type BlockManagerNeeds,
  type BlockManagerStats,
  type BlocksPin,
  type Lsn,
  type MaintainReport,
  type ReadPin,
  type Region,
  type SampleColumns,
  type SeriesRef,
  type Variant,
  type WriteBatch,
} from "@varve/contracts";
import { readAll, writeFileDurably } from "@varve/disk/transfer";

/** What a block manager can do wrong, one thing at a time. */
export type BlocksBug =
  | "forgets to forget a withdrawn row"
  | "compares values as numbers"
  | "shows later writes in a pin"
  | "claims what is not durable"
  | "includes the end of a range"
  | "sees nothing of its own batch"
  | "loses what it cannot write"
  | "decides rows twice"
  | "forgets its last times when reopened";

interface Sample {
  readonly time: number;
  readonly low: number;
  readonly high: number;
}

interface Series {
  readonly samples: Sample[];
  /** Samples that were admitted; the first of them may be applied already. */
  readonly admitted: Sample[];
  /** Samples that were on disk at open. */
  loaded: number;
  /** Held while there is something that is not on disk. */
  region: Region;
}

const ROW_BYTES = 20;

/** Arrays in memory, and one file that is written again as a whole: a store to compare others with. */
export function dullBlocks(bug?: BlocksBug): Variant<"block-manager"> {
  return {
    slot: "block-manager",
    name: bug === undefined ? "dull" : `dull that ${bug}`,
    traits: { persistsInAppend: false },
    open: (needs) => new DullBlocks(needs, bug),
  };
}

class DullBlocks implements BlockManager {
  readonly #needs: BlockManagerNeeds;
  readonly #bug: BlocksBug | undefined;
  readonly #series = new Map<SeriesRef, Series>();
  #lsn: Lsn = 0;
  #samples = 0;
  #written = 0;

  constructor(needs: BlockManagerNeeds, bug: BlocksBug | undefined) {
    this.#needs = needs;
    this.#bug = bug;
    if (needs.disk.kind(`${needs.dir}/samples`) === "file") this.#read();
  }

  get refMax(): SeriesRef {
    return Math.max(
      0,
      ...[...this.#series].filter(([, { samples }]) => samples.length > 0).map(([ref]) => ref),
    );
  }

  get stats(): BlockManagerStats {
    return {
      series: [...this.#series.values()].filter(({ samples }) => samples.length > 0).length,
      samples: this.#samples,
      chunksSealed: 0,
      chunksPersisted: 0,
      bytesPersisted: this.#written,
      filesCreated: 0,
      writes: 0,
      persistedInAppend: 0,
    };
  }

  admit(batch: WriteBatch, from: number, until: number): void {
    const admitted: [Series, Sample][] = [];
    for (let row = from; row < until; row += 1) {
      if (batch.status[row] !== OPEN && this.#bug !== "decides rows twice") continue;
      const series = this.#seriesOf(batch.refs[row]!);
      const sample = sampleOf(batch, row);
      const status = this.#decide(series, sample);
      batch.status[row] = status;
      if (status !== ACCEPTED) continue;
      if (series.region === NO_REGION) series.region = this.#needs.allocator.acquire(64);
      if (series.region === NO_REGION) batch.status[row] = LIMIT;
      else if (this.#bug === "sees nothing of its own batch") admitted.push([series, sample]);
      else series.admitted.push(sample);
    }
    for (const [series, sample] of admitted) series.admitted.push(sample);
  }

  withdraw(batch: WriteBatch, from: number, until: number): void {
    for (let row = until - 1; row >= from; row -= 1) {
      if (batch.status[row] !== ACCEPTED) continue;
      batch.status[row] = OPEN;
      if (this.#bug === "forgets to forget a withdrawn row") continue;
      this.#seriesOf(batch.refs[row]!).admitted.pop();
    }
  }

  append(batch: WriteBatch, from: number, until: number, lsn: Lsn): void {
    for (let row = from; row < until; row += 1) {
      if (batch.status[row] !== ACCEPTED) continue;
      const series = this.#seriesOf(batch.refs[row]!);
      series.samples.push(series.admitted.shift() ?? sampleOf(batch, row));
      this.#samples += 1;
    }
    this.#lsn = lsn;
  }

  pin(refs: Uint32Array, count: number): ReadPin {
    const live = this.#bug === "shows later writes in a pin";
    const pinned = Array.from({ length: count }, (_, i) => {
      const samples = this.#series.get(refs[i]!)?.samples ?? [];
      return live ? samples : [...samples];
    });
    const isInside = (time: number, from: number, until: number): boolean =>
      time >= from &&
      (time < until || (this.#bug === "includes the end of a range" && time === until));
    return {
      read(i: number, from: number, until: number, into: SampleColumns): void {
        const samples = pinned[i]!.filter(({ time }) => isInside(time, from, until));
        into.reserve(samples.length);
        const words = new Uint32Array(into.values.buffer, into.values.byteOffset);
        for (const { time, low, high } of samples) {
          into.times[into.length] = time;
          words[2 * into.length] = low;
          words[2 * into.length + 1] = high;
          into.length += 1;
        }
      },
      [Symbol.dispose](): void {},
    };
  }

  replay(batch: WriteBatch, from: number, until: number, lsn: Lsn): void {
    this.admit(batch, from, until);
    this.append(batch, from, until, lsn);
  }

  pinBlocks(): BlocksPin {
    return { blocks: [], [Symbol.dispose](): void {} };
  }

  span(ref: SeriesRef, from: number, until: number, into: Float64Array): boolean {
    const times = (this.#series.get(ref)?.samples ?? [])
      .map(({ time }) => time)
      .filter((time) => time >= from && time < until);
    if (times.length === 0) return false;
    into[0] = times[0]!;
    into[1] = times.at(-1)!;
    return true;
  }

  hide(ref: SeriesRef, minTime: number, maxTime: number): void {
    const { samples } = this.#seriesOf(ref);
    const kept = samples.filter(({ time }) => time < minTime || time > maxTime);
    samples.splice(0, samples.length, ...kept);
  }

  hidden(): void {}

  async deleteStored(): Promise<number> {
    return 0;
  }

  async rest(): Promise<Disposable> {
    return { [Symbol.dispose](): void {} };
  }

  idleLsn(ref: SeriesRef): Lsn {
    const series = this.#series.get(ref);
    const isIdle = series === undefined || series.samples.length + series.admitted.length === 0;
    return isIdle ? this.#lsn : Number.POSITIVE_INFINITY;
  }

  forget(refs: Uint32Array, count: number): void {
    for (let i = 0; i < count; i += 1) this.#series.delete(refs[i]!);
  }

  async maintain(): Promise<MaintainReport> {
    const { disk, dir, allocator } = this.#needs;
    const durableLsn = this.#lsn;
    const progress = { sealed: 0, persisted: 0, pending: 0, isBusy: false };
    const report = {
      ...progress,
      durableLsn,
      settledLsn: durableLsn,
      cutTime: Number.NEGATIVE_INFINITY,
    };
    if (this.#bug === "claims what is not durable") return report;
    try {
      disk.makeDirectory(dir);
      disk.syncDirectory(dir.slice(0, dir.lastIndexOf("/")));
      writeFileDurably(disk, `${dir}/samples`, this.#encode());
    } catch (error) {
      if (this.#bug === "loses what it cannot write") this.#series.clear();
      throw error;
    }
    for (const series of this.#series.values()) {
      if (series.region !== NO_REGION && series.admitted.length === 0) {
        allocator.release(series.region);
        series.region = NO_REGION;
      }
    }
    return report;
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #seriesOf(ref: SeriesRef): Series {
    let series = this.#series.get(ref);
    if (series === undefined) {
      series = { samples: [], admitted: [], loaded: 0, region: NO_REGION };
      this.#series.set(ref, series);
    }
    return series;
  }

  #decide({ samples, admitted, loaded }: Series, { time, low, high }: Sample): number {
    const isForgotten =
      this.#bug === "forgets its last times when reopened" && samples.length === loaded;
    const last = admitted.at(-1) ?? (isForgotten ? undefined : samples.at(-1));
    if (last === undefined || time > last.time) return ACCEPTED;
    if (time < last.time) return OUT_OF_ORDER;
    if (this.#bug === "compares values as numbers") {
      return valueOf(last) === valueOf({ time, low, high }) ? REPEATED : CONFLICT;
    }
    return low === last.low && high === last.high ? REPEATED : CONFLICT;
  }

  #encode(): Uint8Array {
    const rows = [...this.#series].flatMap(([ref, { samples }]) =>
      samples.map((each) => ({ ref, ...each })),
    );
    const bytes = new Uint8Array(4 + rows.length * ROW_BYTES);
    const view = new DataView(bytes.buffer);
    for (const [i, { ref, time, low, high }] of rows.entries()) {
      const at = 4 + i * ROW_BYTES;
      view.setUint32(at, ref);
      view.setFloat64(at + 4, time);
      view.setUint32(at + 12, low);
      view.setUint32(at + 16, high);
    }
    writeU32(bytes, 0, crc32c(bytes, 4, bytes.length));
    this.#written += bytes.length;
    return bytes;
  }

  #read(): void {
    const bytes = readAll(this.#needs.disk, `${this.#needs.dir}/samples`);
    if (bytes.length < 4 || readU32(bytes, 0) !== crc32c(bytes, 4, bytes.length)) {
      throw new StorageError("BLOCK_CORRUPT", "samples: checksum mismatch");
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let at = 4; at < bytes.length; at += ROW_BYTES) {
      const sample = {
        time: view.getFloat64(at + 4),
        low: view.getUint32(at + 12),
        high: view.getUint32(at + 16),
      };
      const series = this.#seriesOf(view.getUint32(at));
      series.loaded = series.samples.push(sample);
    }
  }
}

function sampleOf(batch: WriteBatch, row: number): Sample {
  const words = new Uint32Array(
    batch.valueWords.buffer,
    batch.valueWords.byteOffset,
    batch.valueWords.length,
  );
  return { time: batch.times[row]!, low: words[2 * row]!, high: words[2 * row + 1]! };
}

function valueOf({ low, high }: Sample): number {
  return new Float64Array(Uint32Array.of(low, high).buffer)[0]!;
}
