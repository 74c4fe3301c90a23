import type { Allocator, AllocatorNeeds, AllocatorTraits } from "./allocator.ts";
import type { WriteBatch } from "./batch.ts";
import type { BlockManager, BlockManagerNeeds, BlockManagerTraits } from "./block-manager.ts";
import type { ChunkCodec, ChunkNeeds, ChunkTraits } from "./chunk.ts";
import type { LabelLimits, Labels } from "./labels.ts";
import type { Locks, LocksNeeds, LocksTraits } from "./locks.ts";
import type { Postings, PostingsNeeds, PostingsTraits } from "./postings.ts";
import type { RecordCodec, RecordNeeds, RecordTraits } from "./record.ts";
import type { SeriesHasher, SeriesIdNeeds, SeriesIdTraits } from "./series-id.ts";
import type { SeriesIndex, SeriesIndexNeeds, SeriesIndexTraits } from "./series-index.ts";
import type { WalNeeds, WalTraits, WriteAheadLog } from "./wal.ts";

/** Writes canonical keys. */
export interface KeyEncoder {
  /**
   * Validates `labels`, sorts them by the UTF-8 bytes of their names, and writes `name 0xFF value 0xFF` for
   * each at keys[keyAt[row]], setting keyAt[row+1]. Throws LABELS, naming the label, and writes nothing
   * that counts, when a name is empty, a string is not valid UTF-16 or not a string, a limit is exceeded,
   * or no label with a value is left.
   */
  encode(labels: Labels, batch: WriteBatch, row: number): void;
}

export interface LabelKeyTraits {
  /** Remembers shapes of label sets, within a bound. */
  readonly caches: boolean;
}

export interface LabelKeyNeeds {
  readonly limits: LabelLimits;
}

/** For each slot of an engine: the part that fills it, what the part needs, and the facts a variant declares. */
export interface Slots {
  "label-key": { part: KeyEncoder; needs: LabelKeyNeeds; traits: LabelKeyTraits };
  "series-id": { part: SeriesHasher; needs: SeriesIdNeeds; traits: SeriesIdTraits };
  "series-index": { part: SeriesIndex; needs: SeriesIndexNeeds; traits: SeriesIndexTraits };
  postings: { part: Postings; needs: PostingsNeeds; traits: PostingsTraits };
  record: { part: RecordCodec; needs: RecordNeeds; traits: RecordTraits };
  wal: { part: WriteAheadLog; needs: WalNeeds; traits: WalTraits };
  allocator: { part: Allocator; needs: AllocatorNeeds; traits: AllocatorTraits };
  chunk: { part: ChunkCodec; needs: ChunkNeeds; traits: ChunkTraits };
  "block-manager": { part: BlockManager; needs: BlockManagerNeeds; traits: BlockManagerTraits };
  locks: { part: Locks; needs: LocksNeeds; traits: LocksTraits };
}

/** A position in an engine. */
export type Slot = keyof Slots;

/** All slots, in the order in which an engine opens them. */
export const SLOTS: readonly Slot[] = [
  "label-key",
  "series-id",
  "record",
  "allocator",
  "chunk",
  "locks",
  "series-index",
  "postings",
  "block-manager",
  "wal",
];

/** A way to fill a slot: one object that the engine opens, the conformance kit certifies and the lab races. */
export interface Variant<S extends Slot = Slot> {
  readonly slot: S;
  /** As in its file, its subpath and its flag: `open-addressed`. */
  readonly name: string;
  readonly traits: Slots[S]["traits"];
  /** Opens a part. Throws a StorageError when the world does not allow it. */
  open(needs: Slots[S]["needs"]): Slots[S]["part"] | Promise<Slots[S]["part"]>;
}

/** A variant for each slot: plain data, so that one change alone is `{ ...plan, wal: batchedWal() }`. */
export type Plan = { readonly [S in Slot]: Variant<S> };
