import { StorageError } from "@varve/contracts";

/** Stored bytes are not what a writer leaves. */
export function corrupt(
  path: string,
  offset: number,
  problem: string,
  cause?: unknown,
): StorageError {
  return new StorageError(
    "BLOCK_CORRUPT",
    `${path}@${offset}: ${problem}; nothing was changed, and what was read before is right; ` +
      "verify the block, and restore it from a copy",
    { cause, facts: { path, offset, reason: problem } },
  );
}

/** A file of a version that is not known here. */
export function unsupported(path: string, offset: number, version: number): StorageError {
  return new StorageError(
    "UNSUPPORTED_VERSION",
    `${path}@${offset}: version ${version} is not known here; nothing was changed; ` +
      "use a newer varve, or let Prometheus rewrite the block",
    { facts: { path, offset, value: version } },
  );
}

/** The block was closed while something still read it. */
export function closed(path: string): StorageError {
  return new StorageError("CLOSED", `${path} was closed; open the block again to read it`, {
    facts: { path },
  });
}
