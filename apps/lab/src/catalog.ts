import { heapAllocator } from "@varve/allocator/heap";
import { poolAllocator } from "@varve/allocator/pool";
import { slabAllocator } from "@varve/allocator/slab";
import { backgroundBlocks } from "@varve/block-manager/background";
import { immediateBlocks } from "@varve/block-manager/immediate";
import { onFullBlocks } from "@varve/block-manager/on-full";
import { queuedBlocks } from "@varve/block-manager/queued";
import { xorChunk } from "@varve/chunk/xor";
import { xorWasmChunk } from "@varve/chunk/xor-wasm";
import type { Slot, Variant } from "@varve/contracts";
import { plainKey } from "@varve/label-key/plain";
import { trieKey } from "@varve/label-key/trie";
import { mutexLocks } from "@varve/locks/mutex";
import { noneLocks } from "@varve/locks/none";
import { eagerPostings } from "@varve/postings/eager";
import { lazyPostings } from "@varve/postings/lazy";
import { inlineRecord } from "@varve/record/inline";
import { refRecord } from "@varve/record/ref";
import { refWasmRecord } from "@varve/record/ref-wasm";
import { xxhashId } from "@varve/series-id-xxhash";
import { fnv1aId } from "@varve/series-id/fnv1a";
import { stringId } from "@varve/series-id/string";
import { xxh64Id } from "@varve/series-id/xxh64";
import { xxh64WasmId } from "@varve/series-id/xxh64-wasm";
import { lmdbIndex } from "@varve/series-index-lmdb";
import { mapIndex } from "@varve/series-index/map";
import { openAddressedIndex } from "@varve/series-index/open-addressed";
import { openAddressedWasmIndex } from "@varve/series-index/open-addressed-wasm";
import { asyncWal } from "@varve/wal/async";
import { batchedWal } from "@varve/wal/batched";
import { noneWal } from "@varve/wal/none";
import { syncWal } from "@varve/wal/sync";

/** Options of a factory as plain data. */
export type VariantOptions = Readonly<Record<string, unknown>>;

/** A variant that the lab knows by name. */
export interface CatalogEntry<S extends Slot = Slot> {
  /** What it does, in a line. */
  readonly description: string;
  /** Names of the options that its factory takes. */
  readonly options: readonly string[];
  make(options?: VariantOptions): Variant<S>;
}

/** Variants by slot and name. */
export type Catalog = { readonly [S in Slot]: Readonly<Record<string, CatalogEntry<S>>> };

/** Options that all block managers share. */
const BLOCK_OPTIONS = [
  "samplesPerChunk",
  "chunkBytesFirst",
  "chunkBytesMax",
  "regionsPerRefill",
  "regionsAhead",
  "lazyChunks",
  "kernel",
  "fileBytesMax",
] as const;

/** Every variant of every slot. The first of a slot is the plain one, the yardstick of the others. */
export const CATALOG: Catalog = {
  "label-key": {
    plain: entry("sorts the names of every label set", plainKey),
    trie: entry("remembers the order of name sequences; reuses what is unchanged", trieKey, [
      "nodesMax",
    ]),
  },
  "series-id": {
    string: entry("joins a string and hashes it: the seed's way", stringId),
    fnv1a: entry("FNV-1a over the key bytes, in plain TypeScript", fnv1aId),
    xxh64: entry("xxh64 in plain TypeScript; with seed 0 it is StableHash", xxh64Id),
    "xxh64-wasm": entry("the same, all keys of a batch by a kernel", xxh64WasmId),
    xxhash: entry("xxh64 by xxhash-wasm; with seed 0 it is StableHash", xxhashId),
  },
  "series-index": {
    map: entry("a JavaScript Map, conflicts handled", mapIndex, ["mapEntriesMax"]),
    "open-addressed": entry(
      "typed arrays in the linear memory that grow bit by bit",
      openAddressedIndex,
      ["prefault", "keyBytesExpected"],
    ),
    "open-addressed-wasm": entry(
      "the same, whole ranges of rows by a kernel",
      openAddressedWasmIndex,
      ["prefault", "keyBytesExpected"],
    ),
    lmdb: entry("LMDB on disk: a cache that is verified at open", lmdbIndex, [
      "batchRowsMax",
      "mapBytes",
      "fileBytesMax",
      "verify",
      "verifyMsMax",
    ]),
  },
  postings: {
    lazy: entry("series by label, in lists once somebody asks", lazyPostings),
    eager: entry("series by label, in lists as they come: writes pay for queries", eagerPostings),
  },
  record: {
    inline: entry("labels in every record: the seed's way", inlineRecord),
    ref: entry("a series once, then refs", refRecord),
    "ref-wasm": entry("the same, written by a kernel", refWasmRecord),
  },
  wal: {
    none: entry("keeps nothing", noneWal),
    sync: entry("returns when the batch is durable", syncWal, ["segmentBytesMax", "kernel"]),
    batched: entry("group commit by bytes and delay", batchedWal, [
      "segmentBytesMax",
      "groupBytesMax",
      "delayMsMax",
      "kernel",
    ]),
    async: entry("a worker writes behind a ring in shared memory", asyncWal, [
      "segmentBytesMax",
      "ringBytesMax",
      "groupBytesMax",
      "delayMsMax",
      "onFull",
      "drainMsMax",
      "writer",
    ]),
  },
  allocator: {
    heap: entry("one JavaScript array a region", heapAllocator),
    pool: entry("free lists of heap arrays", poolAllocator, ["retainedBytesMax"]),
    slab: entry("regions of the linear memory", slabAllocator, ["slabBytes"]),
  },
  chunk: {
    xor: entry("Prometheus' XOR encoding", xorChunk),
    "xor-wasm": entry("the same, whole batches by a kernel", xorWasmChunk),
  },
  "block-manager": {
    immediate: entry(
      "a file for each new series, inside the write: the seed's way",
      immediateBlocks,
      [...BLOCK_OPTIONS, "unsyncedBytesMax"],
    ),
    "on-full": entry("writes a full chunk inside the write that filled it", onFullBlocks, [
      ...BLOCK_OPTIONS,
      "unsyncedBytesMax",
    ]),
    queued: entry(
      "full chunks wait in a bounded queue for the event loop's next turn",
      queuedBlocks,
      [...BLOCK_OPTIONS, "queueChunksMax"],
    ),
    background: entry("seals and writes in slices between the writes", backgroundBlocks, [
      ...BLOCK_OPTIONS,
      "writeBytesMax",
    ]),
  },
  locks: {
    none: entry("one thread needs none", noneLocks),
    mutex: entry("one mutex over Atomics", mutexLocks, ["waitMsMax"]),
  },
};

/** Each factory takes an options object of its own, all optional; here they come as plain data. */
function entry<S extends Slot, O>(
  description: string,
  factory: (options?: O) => Variant<S>,
  options: readonly (keyof O & string)[] = [],
): CatalogEntry<S> {
  return { description, options, make: (given) => factory(given as O | undefined) };
}
