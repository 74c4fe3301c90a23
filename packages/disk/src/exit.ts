/** What is drained when the process exits: one hook for all stores and logs, so that many can be open. */
const drains = new Set<() => void>();

/**
 * Calls `drain` when the process exits, until the function returned is called. The last registered is drained
 * first: a store, which opens its log before itself, hands over what it holds before the log is drained.
 *
 * Only synchronous work is done by then. A drain that throws is told on stderr, sets the exit code, and does not
 * keep the others from their turn.
 */
export function onExit(drain: () => void): () => void {
  if (drains.size === 0) process.on("exit", drainAll);
  drains.add(drain);
  return () => {
    if (drains.delete(drain) && drains.size === 0) process.off("exit", drainAll);
  };
}

function drainAll(): void {
  for (const drain of [...drains].reverse()) {
    try {
      drain();
    } catch (error) {
      process.exitCode = 1;
      const message = error instanceof Error ? error.message : String(error);
      process.stderr.write(`varve: ${message}\n`);
    }
  }
}
