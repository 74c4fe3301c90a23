import { slabAllocator } from "@varve/allocator/slab";
import { backgroundBlocks } from "@varve/block-manager/background";
import { keyOf, makeColumns, reserveMemory } from "@varve/bytes";
import { xorChunk } from "@varve/chunk/xor";
import { isStorageError, type ChunkCodec, type SampleColumns } from "@varve/contracts";
import type { SimDisk } from "@varve/disk/sim";
import type { Damage } from "./file.ts";
import { DIR, labelsOf, putFile, type StoreContent } from "./store.ts";

const MEMORY_BYTES_MAX = 2 ** 20;
const STORE_ID = "00112233445566778899aabbccddeeff";
const TIME_MIN = Number.MIN_SAFE_INTEGER;
const TIME_MAX = Number.MAX_SAFE_INTEGER;

/**
 * `sealed/` of a good store, read by a block manager without a log: nothing that it tells may be wrong. What is missing is
 * for the whole engine to tell.
 */
export class DamagedSealed {
  readonly #disk: SimDisk;
  readonly #path: string;
  readonly #content: StoreContent;
  readonly #series: number;
  readonly #codec: ChunkCodec;
  readonly #columns: SampleColumns = makeColumns({ capacity: 256 });

  private constructor(
    disk: SimDisk,
    path: string,
    content: StoreContent,
    series: number,
    codec: ChunkCodec,
  ) {
    this.#disk = disk;
    this.#path = path;
    this.#content = content;
    this.#series = series;
    this.#codec = codec;
  }

  /** The store's series have refs in their order, from 1 on. */
  static async of(
    disk: SimDisk,
    path: string,
    content: StoreContent,
    series: number,
  ): Promise<DamagedSealed> {
    return new DamagedSealed(disk, path, content, series, await xorChunk().open({}));
  }

  async check(damage: Damage): Promise<void> {
    const disk = this.#disk.image("nothing");
    putFile(disk, this.#path, damage.bytes);
    const memory = reserveMemory({ bytesMax: MEMORY_BYTES_MAX });
    const variant = backgroundBlocks({ cacheBytesMax: 1, writeBytesMax: 1 });
    let blocks: Awaited<ReturnType<typeof variant.open>>;
    try {
      blocks = await variant.open({
        memory,
        disk,
        dir: `${DIR}/sealed`,
        blocksDir: `${DIR}/none`,
        quarantineDir: `${DIR}/quarantine`,
        storeId: STORE_ID,
        allocator: await slabAllocator().open({ memory, bytesMax: MEMORY_BYTES_MAX / 2 }),
        chunk: this.#codec,
        keys: { nextRef: this.#series + 1, keyBytes, copyKey },
        seriesExpected: 0,
      });
    } catch (error) {
      if (!isStorageError(error)) throw error;
      return;
    }
    const refs = Uint32Array.from({ length: this.#series }, (_, i) => i + 1);
    const seen = this.#content.look("in sealed/");
    const columns = this.#columns;
    {
      using pin = blocks.pin(refs, refs.length);
      for (let i = 0; i < refs.length; i += 1) {
        columns.length = 0;
        try {
          pin.read(i, TIME_MIN, TIME_MAX, columns);
        } catch (error) {
          if (!isStorageError(error, "BLOCK_CORRUPT")) throw error;
          continue;
        }
        seen.add(i, columns.times, columns.values, columns.length);
      }
    }
    await blocks[Symbol.asyncDispose]();
  }
}

function keyBytes(ref: number): number {
  return keyOf(labelsOf(ref - 1)).length;
}

function copyKey(ref: number, into: Uint8Array, at: number): number {
  const key = keyOf(labelsOf(ref - 1));
  into.set(key, at);
  return key.length;
}
