import type { Locks, LockStats, Variant } from "@varve/contracts";

/**
 * No lock: for an engine that one thread writes to, where the event loop already keeps critical sections apart.
 *
 * Counts acquisitions, so that lock scopes can be compared with those of a real lock.
 */
export function noneLocks(): Variant<"locks"> {
  return { slot: "locks", name: "none", traits: { excludes: false }, open: () => new NoLocks() };
}

class NoLocks implements Locks {
  #acquisitions = 0;

  get stats(): LockStats {
    return { acquisitions: this.#acquisitions, contended: 0 };
  }

  acquire(): void {
    this.#acquisitions += 1;
  }

  release(): void {}
}
