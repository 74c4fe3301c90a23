import { EXIT } from "./failure.ts";

/** What a run that can be interrupted came to. */
export interface Interruptible<T> {
  readonly value: T;
  /** The exit code that the signal asks for; 0 when there was none. */
  readonly exitCode: number;
}

/**
 * Runs `work` with a signal that the first Ctrl-C aborts, so that it can end with what it has. The second ends
 * the process at once; exit handlers still remove what lies around.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Interruptible<T>> {
  const controller = new AbortController();
  let exitCode: number = EXIT.ok;
  const listener = (name: NodeJS.Signals): void => {
    const code = name === "SIGTERM" ? EXIT.terminated : EXIT.interrupted;
    if (controller.signal.aborted) process.exit(code);
    exitCode = code;
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
