import type { Memory } from "./memory.ts";

export interface LockStats {
  readonly acquisitions: number;
  /** Acquisitions that had to wait. */
  readonly contended: number;
}

/** Guards the engine's critical section. Never held across I/O waits that may be deferred, nor across an `await`. */
export interface Locks {
  acquire(): void;
  release(): void;
  readonly stats: LockStats;
}

export interface LocksTraits {
  /** Two threads never hold it at once. */
  readonly excludes: boolean;
}

export interface LocksNeeds {
  readonly memory: Memory;
}
