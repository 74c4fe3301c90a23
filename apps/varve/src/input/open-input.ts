import { detectFormat, type SampleFormat } from "@varve/exposition";
import {
  closeSync,
  createReadStream,
  openSync,
  readSync,
  statSync,
  type ReadStream,
} from "node:fs";
import { addAbortSignal, pipeline, type Duplex } from "node:stream";
import * as zlib from "node:zlib";
import { MalformedInput, usageError } from "../exit.ts";
import { isAbort } from "../interrupt.ts";
import { kindOf, pathError } from "../store/place.ts";

/** Standard input, as a file's name. */
const STDIN = "-";
/** Enough to see how a file ends, in bytes. */
const TAIL_BYTES = 64;

/** A file of samples that is being read. */
export interface Input {
  /** For messages. */
  readonly name: string;
  readonly format: SampleFormat;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Bytes of the file, packed as it is; undefined for standard input. */
  readonly size: number | undefined;
  /** Bytes that were taken from the file so far. */
  readonly done: () => number;
  close(): void;
}

/**
 * Opens a file of samples, or standard input for `-`, unpacks `.gz` and `.zst`, and tells its format unless it is
 * given. Throws INPUT for a file that cannot be read, and for one whose format nothing tells. Once the signal is aborted,
 * reading throws an AbortError, also while it waits for more.
 */
export async function openInput(
  path: string,
  given: SampleFormat | undefined,
  signal: AbortSignal,
): Promise<Input> {
  if (path !== STDIN && kindOf(path) === "directory")
    throw usageError(`${path}: a directory, where a file is wanted`);
  const stream = path === STDIN ? undefined : createReadStream(path, { highWaterMark: 256 * 1024 });
  addAbortSignal(signal, stream ?? process.stdin);
  const bytes = unpacked(path, stream);
  const iterator = bytes[Symbol.asyncIterator]();
  const first = await iterator.next();
  const head = first.done === true ? new Uint8Array(0) : first.value;
  const format = given ?? detectFormat(head, path, stream === undefined ? undefined : tailOf(path));
  if (format === undefined) {
    stream?.destroy();
    throw usageError(`${path}: nothing tells its format; name it with --format`);
  }
  return {
    name: path === STDIN ? "standard input" : path,
    format,
    bytes: rejoined(first, iterator),
    size: path === STDIN ? undefined : statSync(path).size,
    done: () => stream?.bytesRead ?? 0,
    close: () => stream?.destroy(),
  };
}

async function* unpacked(path: string, file: ReadStream | undefined): AsyncGenerator<Uint8Array> {
  const unpack = unpackerOf(path);
  try {
    if (file === undefined) yield* process.stdin as AsyncIterable<Uint8Array>;
    else if (unpack === undefined) yield* file as AsyncIterable<Uint8Array>;
    else yield* pipeline(file, unpack, () => {}) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    // A packed file that is damaged is malformed input, like a line that is.
    if (code.startsWith("Z_") || code.startsWith("ZSTD_") || code.startsWith("ERR_")) {
      throw new MalformedInput(`${path}: cannot be unpacked: ${(cause as Error).message}`, cause);
    }
    throw pathError(path, cause);
  }
}

async function* rejoined(
  first: IteratorResult<Uint8Array, unknown>,
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (first.done !== true) yield first.value;
  yield* rest;
}

function unpackerOf(path: string): Duplex | undefined {
  if (path.endsWith(".gz")) return zlib.createGunzip();
  if (!path.endsWith(".zst")) return undefined;
  if (typeof zlib.createZstdDecompress === "function") return zlib.createZstdDecompress();
  throw usageError(
    `${path}: this Node cannot unpack .zst; use Node 22.15 or newer, or unpack the file first`,
  );
}

/** The last bytes of a file as it lies there. */
function tailOf(path: string): Uint8Array {
  const fd = openSync(path, "r");
  try {
    const bytes = new Uint8Array(TAIL_BYTES);
    const { size } = statSync(path);
    return bytes.subarray(0, readSync(fd, bytes, 0, TAIL_BYTES, Math.max(0, size - TAIL_BYTES)));
  } finally {
    closeSync(fd);
  }
}
