import { type ChunkCodec, type Disk, noPause, type Pause } from "@varve/contracts";
import { verifyFiles } from "./internal/verify-block.ts";

/** What a problem is about: the file, or the section of the index. */
export type BlockProblemCode =
  | "CHUNKS"
  | "INDEX"
  | "META"
  | "POSTINGS"
  | "SERIES"
  | "SYMBOLS"
  | "TOMBSTONES";

/** Something about a block that is not as it should be. */
export interface BlockProblem {
  readonly code: BlockProblemCode;
  readonly file: string;
  /** Where in the file, in bytes; 0 when it is about all of it. */
  readonly offset: number;
  readonly message: string;
}

export interface VerifyBlockOptions {
  readonly disk: Disk;
  /** The block's directory, which its ULID names. */
  readonly dir: string;
  /** Decodes chunks of its own encoding; of others, the checksum is looked at. */
  readonly codec: ChunkCodec;
  readonly pause?: Pause;
  /** After so many problems it ends. 100 by default. */
  readonly problemsMax?: number;
  /** Told now and then how far it has come, in bytes. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Reads all of a block and checks everything that can be checked: `meta.json` against the block, every checksum, the
 * order of symbols, labels, series and lists, every list against the series, every chunk against the index, and
 * deletions. Goes on behind damage where it can. No problem: an empty array. Throws only what the disk and `pause`
 * throw. Changes nothing. Memory grows with distinct pairs of names and values.
 */
export function verifyBlock(options: VerifyBlockOptions): Promise<BlockProblem[]> {
  const { pause = noPause, problemsMax = 100, onProgress = () => undefined } = options;
  return verifyFiles({ ...options, pause, problemsMax, onProgress });
}
