import { heapAllocator } from "@varve/allocator/heap";
import { slabAllocator } from "@varve/allocator/slab";
import { backgroundBlocks } from "@varve/block-manager/background";
import { immediateBlocks } from "@varve/block-manager/immediate";
import { xorChunk } from "@varve/chunk/xor";
import { xorWasmChunk } from "@varve/chunk/xor-wasm";
import type { Plan } from "@varve/contracts";
import { plainKey } from "@varve/label-key/plain";
import { trieKey } from "@varve/label-key/trie";
import { mutexLocks } from "@varve/locks/mutex";
import { noneLocks } from "@varve/locks/none";
import { lazyPostings } from "@varve/postings/lazy";
import { inlineRecord } from "@varve/record/inline";
import { refWasmRecord } from "@varve/record/ref-wasm";
import { xxh64WasmId } from "@varve/series-id/xxh64-wasm";
import { stringId } from "@varve/series-id/string";
import { mapIndex } from "@varve/series-index/map";
import { openAddressedWasmIndex } from "@varve/series-index/open-addressed-wasm";
import { batchedWal } from "@varve/wal/batched";
import { noneWal } from "@varve/wal/none";
import { syncWal } from "@varve/wal/sync";

/**
 * The best composition that the lab knows: group commit, so that `write` returns when the sample is accepted
 * and `flush` when it is durable.
 */
export function recommended(): Plan {
  return {
    "label-key": trieKey(),
    "series-id": xxh64WasmId(),
    "series-index": openAddressedWasmIndex(),
    postings: lazyPostings(),
    record: refWasmRecord(),
    wal: batchedWal(),
    allocator: slabAllocator(),
    chunk: xorWasmChunk(),
    "block-manager": backgroundBlocks(),
    locks: noneLocks(),
  };
}

/** `recommended` with a log that syncs: every call returns when what it wrote is durable. */
export function durable(): Plan {
  return { ...recommended(), wal: syncWal() };
}

/** `recommended` without a log: nothing is there again after a close. */
export function inMemory(): Plan {
  return { ...recommended(), wal: noneWal() };
}

/**
 * The composition that the question came from: string hashes, a Map, labels in every record, each record
 * written by a call of its own, heap objects, one mutex, and a block file for every new series.
 *
 * Open it with `rowsPerClose: 1`. It is the lab's baseline, and nobody's choice.
 */
export function seed(): Plan {
  return {
    "label-key": plainKey(),
    "series-id": stringId(),
    "series-index": mapIndex(),
    postings: lazyPostings(),
    record: inlineRecord(),
    // A write a record and, as there, no sync of its own accord.
    wal: batchedWal({ groupBytesMax: 1, delayMsMax: 2 ** 31 - 1 }),
    allocator: heapAllocator(),
    chunk: xorChunk(),
    "block-manager": immediateBlocks(),
    locks: mutexLocks(),
  };
}
