import type { FromChild, ToChild } from "./messages.ts";
import { runCell } from "./run-cell.ts";

/**
 * The child process of one cell: is told what to run, answers with the result, and ends.
 * Ctrl-C reaches it along with its parent, which decides: the child waits to be told.
 */
const stop = new AbortController();
process.on("SIGINT", () => undefined);
process.on("disconnect", () => stop.abort());
process.on("message", (message: ToChild) => {
  if (message.kind === "stop") stop.abort();
  else void run(message);
});

async function run({ spec, repeat, dir }: ToChild & { kind: "run" }): Promise<void> {
  try {
    answer({ kind: "result", result: await runCell(spec, { dir, repeat, signal: stop.signal }) });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    answer({ kind: "stopped" });
  }
}

function answer(message: FromChild): void {
  if (!process.connected) return process.exit();
  process.send!(message, () => process.disconnect());
}
