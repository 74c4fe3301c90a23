import { crc32c, readU32, VarintReader } from "@varve/bytes";
import type { Disk } from "@varve/contracts";
import {
  CHUNKS_DIRECTORY,
  CHUNKS_MAGIC,
  CHUNKS_VERSION,
  CRC_BYTES,
  SEGMENT_HEADER_BYTES,
  SEGMENT_STEP,
} from "./layout.ts";
import type { PageCache } from "./page-cache.ts";
import { corrupt, unsupported } from "./read-errors.ts";
import { BlockFile, FileView } from "./read-file.ts";

/** Prometheus reads so many bytes of a chunk's length at most. */
const LENGTH_BYTES_MAX = 5;
/** Larger chunks do not occur. */
const CHUNK_BYTES_MAX = 64 * 2 ** 20;
/** Names of chunk segments. */
export const SEGMENT_NAME = /^\d{6,}$/;

/** Opens the chunk segments of a block. A block without series has none. */
export function openSegments(disk: Disk, dir: string, cache: PageCache): BlockFile[] {
  const chunksDir = `${dir}/${CHUNKS_DIRECTORY}`;
  const files: BlockFile[] = [];
  try {
    for (const name of disk.list(chunksDir)) {
      if (!SEGMENT_NAME.test(name)) continue;
      const file = new BlockFile(disk, cache, `${chunksDir}/${name}`);
      files.push(file);
      checkSegmentHeader(file);
    }
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
  return files;
}

/** Throws BLOCK_CORRUPT or UNSUPPORTED_VERSION unless the file begins as a chunk segment. */
export function checkSegmentHeader(file: BlockFile): void {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  file.read(bytes, 0, SEGMENT_HEADER_BYTES, 0);
  if (readU32(bytes, 0) !== CHUNKS_MAGIC) {
    throw corrupt(file.path, 0, "it does not begin as a chunk segment");
  }
  if (bytes[4] !== CHUNKS_VERSION) throw unsupported(file.path, 4, bytes[4]!);
}

/** Finds chunks by their reference. After `read`, the data lies in bytes[from … until) until any page is read. */
export class ChunkFiles {
  /** The chunk that was read. */
  ref = 0;
  encoding = 0;
  bytes: Uint8Array = new Uint8Array(0);
  from = 0;
  until = 0;
  readonly #dir: string;
  readonly #files: readonly BlockFile[];
  /** By segment, made at its first use. */
  readonly #views: FileView[] = [];
  readonly #varints = new VarintReader();

  constructor(dir: string, files: readonly BlockFile[]) {
    this.#dir = dir;
    this.#files = files;
  }

  /** Reads a chunk and checks it. Throws BLOCK_CORRUPT when it is damaged, or there is none. */
  read(ref: number): void {
    const view = this.#viewOf(ref);
    const offset = ref % SEGMENT_STEP;
    const length = this.#readHead(view, offset);
    const at = offset + this.#varints.at - view.at;
    view.view(at, 1 + length + CRC_BYTES);
    const from = view.at + 1;
    const until = from + length;
    if (crc32c(view.bytes, view.at, until) !== readU32(view.bytes, until)) {
      throw this.#damaged(view, offset, "has a wrong checksum");
    }
    this.ref = ref;
    this.encoding = view.bytes[view.at]!;
    this.bytes = view.bytes;
    this.from = from;
    this.until = until;
  }

  /** Reads a chunk's encoding alone: it is checked with the chunk. */
  encodingOf(ref: number): number {
    const view = this.#viewOf(ref);
    const offset = ref % SEGMENT_STEP;
    this.#readHead(view, offset);
    return view.bytes[this.#varints.at]!;
  }

  /** An error about the chunk that was read. */
  damaged(problem: string, cause?: unknown): Error {
    return this.#damaged(this.#viewOf(this.ref), this.ref % SEGMENT_STEP, problem, cause);
  }

  /** Reads the length; the encoding follows in the view. All of the chunk lies in the file. */
  #readHead(view: FileView, offset: number): number {
    const varints = this.#varints;
    const { size } = view.file;
    if (offset < SEGMENT_HEADER_BYTES) throw this.#damaged(view, offset, "lies in the header");
    const shown = view.viewUpTo(offset, LENGTH_BYTES_MAX + 1);
    varints.reset(view.bytes, view.at, view.at + Math.min(shown, LENGTH_BYTES_MAX));
    const length = varints.unsigned();
    const end = offset + (varints.at - view.at) + 1 + length + CRC_BYTES;
    if (varints.failed || length > CHUNK_BYTES_MAX || end > size) {
      throw this.#damaged(view, offset, "has an impossible length");
    }
    return length;
  }

  #viewOf(ref: number): FileView {
    const place = Math.floor(ref / SEGMENT_STEP);
    const made = this.#views[place];
    if (made !== undefined) return made;
    const file = this.#files[place];
    if (file === undefined) {
      throw corrupt(this.#dir, 0, `chunk ${ref} lies in a segment that is missing`);
    }
    const view = new FileView(file);
    this.#views[place] = view;
    return view;
  }

  #damaged(view: FileView, offset: number, problem: string, cause?: unknown): Error {
    return corrupt(view.file.path, offset, `a chunk ${problem}`, cause);
  }
}
