import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { pipeline, type Duplex } from "node:stream";
import * as zlib from "node:zlib";
import { isStorageError, StorageError } from "@varve/contracts";

/** Longest line, in bytes: far above what any label set within limits takes. */
const LINE_BYTES_MAX = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Reads a file line by line, without loading it whole, and unpacks it when its name ends in `.gz` or
 * `.zst`. Throws INPUT when the file cannot be read or unpacked, and where it is not UTF-8.
 */
export async function* readLines(path: string): AsyncGenerator<string> {
  let rest: Uint8Array = new Uint8Array(0);
  let line = 1;
  try {
    for await (const chunk of openBytes(path)) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let from = 0;
      for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
        yield decode(bytes.subarray(from, end), path, line);
        line += 1;
        from = end + 1;
      }
      rest = bytes.subarray(from);
      if (rest.length > LINE_BYTES_MAX) {
        throw inputError(path, line, `the line is longer than ${LINE_BYTES_MAX} bytes`);
      }
    }
  } catch (cause) {
    if (isStorageError(cause)) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const facts = { path };
    throw new StorageError("INPUT", `${path}: cannot be read: ${reason}`, { cause, facts });
  }
  if (rest.length > 0) yield decode(rest, path, line);
}

function decode(bytes: Uint8Array, path: string, line: number): string {
  if (!isUtf8(bytes)) throw inputError(path, line, "the line is not valid UTF-8");
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

/** An INPUT error at a line: `file:line: what is wrong`. */
export function inputError(path: string, line: number, wrong: string): StorageError {
  return new StorageError("INPUT", `${path}:${line}: ${wrong}`, { facts: { path, line } });
}

/** What the caller gave, for a message: quoted, and cut when it is long. */
export function quote(text: string): string {
  return text.length <= 80 ? JSON.stringify(text) : `${JSON.stringify(text.slice(0, 80))}…`;
}

function openBytes(path: string): AsyncIterable<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  const unpack = unpackerOf(path);
  if (unpack === undefined) return file;
  // Failures of either stream end the loop over the last one, so there is nothing to do here.
  return pipeline(file, unpack, () => {});
}

function unpackerOf(path: string): Duplex | undefined {
  if (path.endsWith(".gz")) return zlib.createGunzip();
  if (!path.endsWith(".zst")) return undefined;
  if (typeof zlib.createZstdDecompress === "function") return zlib.createZstdDecompress();
  throw new StorageError(
    "INPUT",
    `${path}: this Node cannot unpack .zst; use Node 22.15 or newer, or unpack the file first`,
    { facts: { path } },
  );
}
