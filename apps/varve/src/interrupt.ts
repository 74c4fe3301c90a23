import { isStorageError } from "@varve/contracts";
import { EXIT } from "./exit.ts";

/**
 * Runs `work` with a signal that the first Ctrl-C aborts, so that it closes what it opened; then the exit code is 130, or
 * 143 for SIGTERM. The second one ends the process at once.
 */
export async function interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  let exitCode: number = EXIT.ok;
  const listener = (name: NodeJS.Signals): void => {
    const code = name === "SIGTERM" ? EXIT.terminated : EXIT.interrupted;
    if (controller.signal.aborted) process.exit(code);
    exitCode = code;
    controller.abort();
  };
  process.on("SIGINT", listener);
  process.on("SIGTERM", listener);
  try {
    await work(controller.signal);
  } catch (error) {
    if (exitCode === EXIT.ok || !isAbort(error)) throw error;
  } finally {
    process.off("SIGINT", listener);
    process.off("SIGTERM", listener);
  }
  if (exitCode !== EXIT.ok) process.exitCode = exitCode;
}

/** Throws what an aborted signal means. */
export function checkSignal(signal: AbortSignal): void {
  if (signal.aborted) throw new DOMException("interrupted", "AbortError");
}

/** Whether an error says that the work was interrupted. */
export function isAbort(error: unknown): boolean {
  if (isStorageError(error)) return error.code === "ABORTED";
  return error instanceof Error && error.name === "AbortError";
}
