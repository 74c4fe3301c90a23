/** What is drained when the process exits: one hook for all logs. */
const drains = new Set<() => void>();

/** Calls `drain` when the process exits, until the function returned is called. */
export function onExit(drain: () => void): () => void {
  if (drains.size === 0) process.on("exit", drainAll);
  drains.add(drain);
  return () => {
    if (drains.delete(drain) && drains.size === 0) process.off("exit", drainAll);
  };
}

function drainAll(): void {
  for (const drain of drains) {
    try {
      drain();
    } catch (error) {
      process.exitCode = 1;
      process.stderr.write(`varve: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}
