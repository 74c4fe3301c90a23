import type { FromChild, ToChild } from "./messages.ts";

/** Runs a cell that the parent names. Throws once the signal is aborted. */
export type Serve<S, R> = (
  message: ToChild<S> & { readonly kind: "run" },
  signal: AbortSignal,
) => Promise<R>;

/**
 * Makes this process the child of one cell: it is told what to run, answers with the result, and ends.
 * Ctrl-C reaches it along with its parent, which decides: the child waits to be told.
 */
export function serveParent<S, R>(run: Serve<S, R>): void {
  const stop = new AbortController();
  process.on("SIGINT", () => undefined);
  process.on("disconnect", () => stop.abort());
  process.on("message", (message: ToChild<S>) => {
    if (message.kind === "stop") stop.abort();
    else void answerFor(message);
  });

  async function answerFor(message: ToChild<S> & { kind: "run" }): Promise<void> {
    try {
      answer({ kind: "result", result: await run(message, stop.signal) });
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      answer({ kind: "stopped" });
    }
  }
}

function answer<R>(message: FromChild<R>): void {
  if (!process.connected) return process.exit();
  process.send!(message, () => process.disconnect());
}
