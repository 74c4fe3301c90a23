import { isStorageError, StorageError, type StorageErrorCode } from "@varve/contracts";

/** Exit codes of `varve`. */
export const EXIT = {
  ok: 0,
  /** Damage, or input that is malformed. */
  damage: 1,
  /** Nothing can be said or done: a wrong flag, a directory that is not ours, one that is locked. */
  cannot: 2,
  interrupted: 130,
  terminated: 143,
} as const;

const DAMAGE: ReadonlySet<StorageErrorCode> = new Set<StorageErrorCode>([
  "BLOCK_CORRUPT",
  "INDEX_CORRUPT",
  "WAL_CORRUPT",
]);

/** What was asked for cannot be done: told in one line. */
export function usageError(message: string, cause?: unknown): StorageError {
  return new StorageError("INPUT", message, { cause });
}

/** Input that was read and is malformed: one line, and the exit code of damage. */
export class MalformedInput extends StorageError {
  constructor(message: string, cause?: unknown) {
    super("INPUT", message, { cause });
  }
}

/** Prints a failure as one line on stderr, and returns the exit code. */
export function tellFailure(error: unknown): number {
  if (isStorageError(error)) {
    process.stderr.write(`varve: ${oneLine(error.message)}\n`);
    return error instanceof MalformedInput || DAMAGE.has(error.code) ? EXIT.damage : EXIT.cannot;
  }
  const text = error instanceof Error ? error.message : String(error);
  const errno = error instanceof Error && "syscall" in error;
  process.stderr.write(`varve: ${errno ? "" : "this is a bug: "}${oneLine(text)}\n`);
  if (!errno && process.env["VARVE_DEBUG"] !== undefined) console.error(error);
  return EXIT.cannot;
}

/** A message on one line, without characters that would steer the terminal. */
export function oneLine(text: string): string {
  return text
    .trim()
    .replace(/\s*\n\s*/g, " ")
    .replace(/\p{Cc}/gu, "\ufffd");
}
