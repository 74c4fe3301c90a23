import { type Disk, StorageError } from "@varve/contracts";
import { readAll, writeFileDurably } from "@varve/disk/transfer";
import { META_FILE, META_VERSION } from "./internal/layout.ts";
import { checksumProblem, isFields } from "./internal/meta-checksum.ts";
import { type BlockMeta, encodeMeta, parseMeta } from "./internal/meta-json.ts";

export type { BlockCompaction, BlockMeta, BlockParent, BlockStats } from "./internal/meta-json.ts";

/** A `meta.json` above this is not one. */
const META_BYTES_MAX = 16 * 2 ** 20;

/**
 * Reads a block's `meta.json`. Throws BLOCK_CORRUPT when it is missing, malformed, of impossible content or not what its
 * checksum says, and UNSUPPORTED_VERSION for a version other than 1. One without a field `varve` has no checksum.
 */
export function readMeta(disk: Disk, blockDir: string): BlockMeta {
  const path = `${blockDir}/${META_FILE}`;
  const json = readJson(disk, path);
  const meta = parseMeta(json);
  if (typeof meta !== "string") return meta;
  const { version } = json as { version?: unknown };
  if (typeof version === "number" && version !== META_VERSION) throw unsupported(path, version);
  throw corrupt(path, meta);
}

/** Replaces a block's `meta.json` durably: after a crash it is the old one or the new one. Blocks the caller. */
export function writeMeta(disk: Disk, blockDir: string, meta: BlockMeta): void {
  writeFileDurably(disk, `${blockDir}/${META_FILE}`, encodeMeta(meta));
}

/** Reads the file, and holds it against its checksum: only what is sound can be of another version. */
function readJson(disk: Disk, path: string): object {
  if (disk.kind(path) !== "file") throw corrupt(path, "there is no such file");
  const bytes = readAll(disk, path, { bytesMax: META_BYTES_MAX });
  let json: unknown;
  let problem: string | undefined;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isFields(json)) problem = checksumProblem(json); // Throws where it is nested too deep.
  } catch (cause) {
    throw corrupt(path, "it is not JSON", cause);
  }
  if (!isFields(json)) throw corrupt(path, "it is not an object");
  if (problem !== undefined) throw corrupt(path, problem);
  return json;
}

function corrupt(path: string, problem: string, cause?: unknown): StorageError {
  return new StorageError(
    "BLOCK_CORRUPT",
    `${path} cannot be read: ${problem}; the block's other files are untouched; verify the block`,
    { cause, facts: { path } },
  );
}

function unsupported(path: string, version: number): StorageError {
  return new StorageError(
    "UNSUPPORTED_VERSION",
    `${path} has version ${version}, and only ${META_VERSION} is known; ` +
      "nothing was changed; use a newer varve, or the tool that wrote it",
    { facts: { path, value: version, limit: META_VERSION } },
  );
}
