import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isStorageError, type StorageError } from "@varve/contracts";
import { onTestFinished } from "vitest";

/** A file with this content, until the test is over. */
export function fileWith(content: string | Uint8Array, name = "input"): string {
  const dir = mkdtempSync(join(tmpdir(), "varve-workload-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

/** The INPUT error that a promise fails with. */
export async function inputErrorOf(promise: Promise<unknown>): Promise<StorageError> {
  const error: unknown = await promise.then(
    () => new Error("nothing was thrown"),
    (reason: unknown) => reason,
  );
  if (isStorageError(error, "INPUT")) return error;
  throw error;
}
