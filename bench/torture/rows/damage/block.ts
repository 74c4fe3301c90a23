import { labelsOf as labelsOfKey, makeColumns } from "@varve/bytes";
import { xorChunk } from "@varve/chunk/xor";
import { type ChunkCodec, isStorageError, type SampleColumns } from "@varve/contracts";
import type { SimDisk } from "@varve/disk/sim";
import { matchersOf } from "@varve/matcher";
import { type BlockReader, openBlock, pageCache, type RawSeries } from "@varve/prometheus-block";
import { Broken } from "../../row.ts";
import type { Damage } from "./file.ts";
import { labelsOf, putFile, type Seen, seriesOf, type StoreContent } from "./store.ts";

const TIME_MIN = Number.MIN_SAFE_INTEGER;
const TIME_MAX = Number.MAX_SAFE_INTEGER;
/** Small pages, so that what is read crosses them. */
const PAGE_BYTES = 1024;
/** Entries that a deletion or a query asks for by name. */
const ASKED = [0, 3, 7];

/** A block of a good store by itself: read through its reader, with every damage to one of its files. */
export class DamagedBlock {
  readonly #disk: SimDisk;
  readonly #dir: string;
  readonly #path: string;
  readonly #content: StoreContent;
  readonly #codec: ChunkCodec;
  readonly #series: number;
  readonly #cache = pageCache({ bytesMax: 2 ** 18, pageBytes: PAGE_BYTES });
  readonly #columns: SampleColumns = makeColumns({ capacity: 1024 });

  private constructor(
    disk: SimDisk,
    path: string,
    content: StoreContent,
    series: number,
    codec: ChunkCodec,
  ) {
    this.#disk = disk;
    this.#path = path;
    this.#dir = path.replace(/\/(chunks\/\d+|index|meta\.json|tombstones)$/, "");
    this.#content = content;
    this.#series = series;
    this.#codec = codec;
  }

  static async of(
    disk: SimDisk,
    path: string,
    content: StoreContent,
    series: number,
  ): Promise<DamagedBlock> {
    return new DamagedBlock(disk, path, content, series, await xorChunk().open({}));
  }

  /** All that the block tells is as it was written, or a typed error says that it cannot be told. */
  async check(damage: Damage): Promise<void> {
    const disk = this.#disk.image("nothing");
    putFile(disk, this.#path, damage.bytes);
    const open = { disk, dir: this.#dir, codec: this.#codec, cache: this.#cache };
    let block: BlockReader;
    try {
      block = await openBlock(open);
    } catch (error) {
      if (!isStorageError(error)) throw error;
      return;
    }
    try {
      this.#readAll(block);
      const isMoved = damage.kind === "moved";
      for (const half of ["0", "1"]) {
        typed(() => this.#select(block, { half }, this.#series / 2, isMoved));
      }
      for (const series of ASKED) {
        const host = labelsOf(series)["host"]!;
        typed(() => this.#select(block, { host }, 1, isMoved));
      }
      typed(() => this.#names(block));
    } finally {
      block.close();
    }
  }

  #readAll(block: BlockReader): void {
    const seen = this.#content.look("in the block");
    let unread = 0;
    const isWhole = typed(() => {
      const all = block.allSeries();
      while (all.next()) if (!typed(() => this.#read(all, seen))) unread += 1;
    });
    if (!isWhole || unread > 0) return;
    const missing = seen.missing().get("block") ?? 0;
    if (missing > 0) throw new Broken("lost", `${missing} rows are missing, and nothing is thrown`);
  }

  #read(series: RawSeries, seen: Seen): void {
    const columns = this.#columns;
    columns.length = 0;
    series.read(TIME_MIN, TIME_MAX, columns);
    const labels = labelsOfKey(series.key, 0, series.keyLength);
    seen.add(seriesOf(labels), columns.times, columns.values, columns.length);
  }

  /**
   * What a matcher selects has the label, and is all that has it. Of a sound list in another's place the format cannot
   * say that series are missing which the other has.
   */
  #select(
    block: BlockReader,
    wanted: Readonly<Record<string, string>>,
    count: number,
    isMoved: boolean,
  ): void {
    const [[name, value]] = Object.entries(wanted) as [[string, string]];
    const found = block.select(matchersOf(wanted));
    let selected = 0;
    while (found.next()) {
      const labels = found.labels();
      seriesOf(labels);
      if (labels[name] !== value) {
        throw new Broken("wrong", `${name}=${value} selects ${JSON.stringify(labels)}`);
      }
      selected += 1;
    }
    if (selected !== Math.ceil(count) && !isMoved) {
      throw new Broken("wrong", `${name}=${value} selects ${selected} of ${count} series`);
    }
  }

  #names(block: BlockReader): void {
    const names = block.labelNames([]).join();
    if (names !== Object.keys(labelsOf(0)).toSorted().join()) {
      throw new Broken("wrong", `its names are ${names}`);
    }
    const hosts = block.labelValues("host", []);
    const isSame =
      hosts.length === this.#series && hosts.every((host, i) => host === labelsOf(i)["host"]);
    if (!isSame) throw new Broken("wrong", `its hosts are ${hosts.join()}`);
  }
}

/** Runs what may throw a typed error. False if it did. */
function typed(run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (!isStorageError(error, "BLOCK_CORRUPT")) throw error;
    return false;
  }
}
