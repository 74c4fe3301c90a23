import { isStorageError } from "@varve/contracts";
import type { PeersEvent } from "./run-peers.ts";

/** Exit codes, as the lab has them. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** Prints a failure on stderr, and returns the exit code: the world's fault is one line, a bug shows its stack. */
export function tellFailure(error: unknown, program = "peers"): number {
  if (isStorageError(error)) {
    process.stderr.write(`${program}: ${oneLine(error.message)}\n`);
    return error.code === "INPUT" ? EXIT.usage : EXIT.failed;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${program}: this is a bug\n${text}\n`);
  return EXIT.failed;
}

/** A message on one line. */
export function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " ");
}

/**
 * Runs `work` with a signal that Ctrl-C aborts, so that it can end with what it has; a second one ends the process. The
 * exit code is the one that the signal asks for, 0 when there was none.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
): Promise<{ value: T; exitCode: number }> {
  const controller = new AbortController();
  let exitCode: number = EXIT.ok;
  const listener = (name: NodeJS.Signals): void => {
    exitCode = name === "SIGTERM" ? EXIT.terminated : EXIT.interrupted;
    if (controller.signal.aborted) process.exit(exitCode);
    process.stderr.write("\nending with what was measured; once more to end at once\n");
    controller.abort();
  };
  process.on("SIGINT", listener);
  process.on("SIGTERM", listener);
  try {
    return { value: await work(controller.signal), exitCode };
  } finally {
    process.off("SIGINT", listener);
    process.off("SIGTERM", listener);
  }
}

/** Shows steps on stderr: on a terminal in one line that changes, elsewhere a line each. */
export function showProgress(): (event: PeersEvent) => void {
  const live = process.stderr.isTTY;
  const start = performance.now();
  return ({ text, done, total }) => {
    const left = ((performance.now() - start) / done) * (total - done);
    const wait = done === total ? "" : `, about ${Math.ceil(left / 1000)} s left`;
    const line = `[${String(done).padStart(String(total).length)}/${total}] ${text}${wait}`;
    const end = !live || done === total ? "\n" : "";
    process.stderr.write(`${live ? "\r\u001b[K" : ""}${line}${end}`);
  };
}
