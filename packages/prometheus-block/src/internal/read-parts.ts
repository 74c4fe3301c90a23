import type { ChunkCodec } from "@varve/contracts";
import type { Tombstones } from "../tombstones.ts";
import type { PostingsLists } from "./postings-list.ts";
import type { PostingsTable } from "./postings-table.ts";
import type { BlockFile } from "./read-file.ts";
import type { SymbolTable } from "./read-symbols.ts";
import type { IndexPlaces } from "./read-toc.ts";

/** What an open block reads with. Everything but the tombstones stays what it is. */
export interface BlockParts {
  readonly dir: string;
  readonly codec: ChunkCodec;
  readonly index: BlockFile;
  readonly places: IndexPlaces;
  readonly symbols: SymbolTable;
  readonly table: PostingsTable;
  readonly lists: PostingsLists;
  readonly segments: readonly BlockFile[];
  /** Replaced by a deletion, never changed. */
  tombstones: Tombstones;
}
