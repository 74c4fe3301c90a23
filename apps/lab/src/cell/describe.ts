import { isStorageError } from "@varve/contracts";

/** What went wrong, on one line: with the code of the world's faults, and the place of a bug. */
export function describe(error: unknown): string {
  if (isStorageError(error)) return `${error.code}: ${error.message}`;
  if (!(error instanceof Error)) return String(error);
  const where = error.stack?.split("\n").find((line) => line.trimStart().startsWith("at "));
  return `${error.name}: ${error.message}${where === undefined ? "" : ` (${where.trim()})`}`;
}
