import { constants } from "node:os";

/** Signals that ask a process to end: a service manager's, and Ctrl-C. */
export const SHUTDOWN_SIGNALS: readonly NodeJS.Signals[] = ["SIGTERM", "SIGINT"];

export interface ShutdownOptions {
  /** Signals that end the process; SIGTERM and SIGINT without it. */
  readonly signals?: readonly NodeJS.Signals[];
}

/** Has signals end the process by `process.exit`, until the function returned is called. */
export function exitOn(signals: readonly NodeJS.Signals[]): () => void {
  const exit = (signal: NodeJS.Signals): void => process.exit(128 + constants.signals[signal]);
  const remove = (): void => {
    for (const signal of signals) process.off(signal, exit);
  };
  try {
    for (const signal of signals) process.on(signal, exit);
  } catch (error) {
    remove(); // The system lets nobody handle one of them.
    throw error;
  }
  return remove;
}
