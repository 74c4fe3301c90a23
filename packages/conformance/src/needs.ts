import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reserveMemory } from "@varve/bytes";
import {
  LABEL_LIMITS,
  type Disk,
  type HashSeed,
  type Memory,
  type Slot,
  type Slots,
} from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { simDisk } from "@varve/disk/sim";
import type { DiskKind } from "./case.ts";
import { plainAllocator } from "./company/plain-allocator.ts";
import { plainChunk } from "./company/plain-chunk.ts";
import { numberedKeys } from "./company/numbered-keys.ts";
import { PlainKeys } from "./company/plain-keys.ts";

export interface NeedsOptions {
  /** Decides the simulated disk's images. */
  readonly seed?: number;
  readonly disk?: DiskKind;
  /** Size of the linear memory that the part gets, in bytes. */
  readonly memoryBytesMax?: number;
}

/** What a slot's part needs, and how to clear it away. */
export interface Needs<S extends Slot> extends Disposable {
  readonly needs: Slots[S]["needs"];
}

/** Needs of every slot at once: a case takes from it what its slot asks for. */
export interface Surroundings {
  readonly memory: Memory;
  readonly disk: Disk;
  readonly parent: string;
}

/** 32 hex digits, as engines make them at random. */
export const STORE_ID = "00112233445566778899aabbccddeeff";
/** Not zero, so that a hasher cannot pass by ignoring it. */
const SEED: HashSeed = { low: 0x243f6a88, high: 0x85a308d3 };
/** Enough for every case, small enough to reserve hundreds of times. */
const MEMORY_BYTES_MAX = 64 * 1024 * 1024;
const SERIES_MAX = 1_000_000;

/**
 * Opens what a part of the slot needs: a small memory, a simulated disk or a temporary directory, and
 * dull company where the slot works with other parts. Dispose it when the part is closed.
 */
export function needsFor<S extends Slot>(slot: S, options: NeedsOptions = {}): Needs<S> {
  const { seed = 1, disk: kind = "sim", memoryBytesMax = MEMORY_BYTES_MAX } = options;
  const memory = reserveMemory({ bytesMax: memoryBytesMax });
  const parent = kind === "sim" ? "/store" : mkdtempSync(join(tmpdir(), "varve-"));
  const disk = kind === "sim" ? simDisk({ seed }) : nodeDisk();
  if (kind === "sim") {
    disk.makeDirectory(parent);
    disk.syncDirectory("/");
  }
  return {
    needs: wire(slot, { memory, disk, parent }),
    [Symbol.dispose](): void {
      if (kind === "node") rmSync(parent, { recursive: true, force: true });
    },
  };
}

function wire<S extends Slot>(slot: S, { memory, disk, parent }: Surroundings): Slots[S]["needs"] {
  const all: { readonly [K in Slot]: () => Slots[K]["needs"] } = {
    "label-key": () => ({ limits: LABEL_LIMITS }),
    "series-id": () => ({ memory, seed: SEED }),
    "series-index": () => ({
      memory,
      disk,
      dir: `${parent}/index`,
      storeId: STORE_ID,
      seed: SEED,
      seriesMax: SERIES_MAX,
      seriesExpected: 0,
    }),
    postings: () => ({ keys: new PlainKeys() }),
    record: () => ({ memory }),
    wal: () => ({
      memory,
      disk,
      dir: `${parent}/wal`,
      quarantineDir: `${parent}/quarantine`,
      storeId: STORE_ID,
      recovery: "tail",
    }),
    allocator: () => ({ memory, bytesMax: 16 * 1024 * 1024 }),
    chunk: () => ({ memory }),
    "block-manager": () => ({
      memory,
      disk,
      dir: `${parent}/sealed`,
      blocksDir: parent,
      quarantineDir: `${parent}/quarantine`,
      storeId: STORE_ID,
      allocator: plainAllocator({ memory, bytesMax: memory.bytesMax / 2 }),
      chunk: plainChunk(),
      keys: numberedKeys(),
      seriesExpected: 0,
    }),
    locks: () => ({ memory }),
  };
  return all[slot]();
}
