import { isStorageError, StorageError } from "@varve/contracts";

/** Exit codes of the lab. */
export const EXIT = {
  ok: 0,
  /** Something was measured or checked, and it failed; or a bug. */
  failed: 1,
  /** What was asked for makes no sense. */
  usage: 2,
  interrupted: 130,
  terminated: 143,
} as const;

/** Something is wrong with what was asked for: told in one line, without a stack. */
export function usageError(message: string, cause?: unknown): StorageError {
  return new StorageError("INPUT", message, { cause });
}

/** Prints a failure on stderr, and returns the exit code: the world's fault is one line, a bug shows its stack. */
export function tellFailure(error: unknown): number {
  if (isStorageError(error)) {
    process.stderr.write(`varve-lab: ${oneLine(error.message)}\n`);
    return error.code === "INPUT" || error.code === "PLAN" ? EXIT.usage : EXIT.failed;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`varve-lab: this is a bug\n${text}\n`);
  return EXIT.failed;
}

/** A message on one line. */
export function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " ");
}
