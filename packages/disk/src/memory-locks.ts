import type { DiskLock } from "@varve/contracts";
import { lockedFailure } from "./failure.ts";

/**
 * The single-writer locks of a disk in memory: held until released, or until the disk is forgotten. An image of a
 * crash has none, as after the death of a process.
 */
export class MemoryLocks {
  /** Since when each path is held. */
  readonly #held = new Map<string, string>();
  readonly #host: string;

  /** `host` is where a second opener is told that the holder lives. */
  constructor(host: string) {
    this.#host = host;
  }

  /** Throws LOCKED while `path` is held. `since` is what a second opener is told. */
  take(path: string, since: string): DiskLock {
    const held = this.#held.get(path);
    if (held !== undefined) {
      throw lockedFailure(path, { pid: process.pid, host: this.#host, since: held });
    }
    this.#held.set(path, since);
    let isHeld = true;
    return {
      release: (): void => {
        if (isHeld) this.#held.delete(path);
        isHeld = false;
      },
    };
  }
}
