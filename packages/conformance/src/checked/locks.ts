import { assert, type Locks } from "@varve/contracts";

/** Asserts that a lock is released by who acquired it, once. */
export function checkedLocks(locks: Locks): Locks {
  let isHeld = false;
  return {
    acquire(): void {
      assert(!isHeld, "a lock is not acquired by who holds it");
      locks.acquire();
      isHeld = true;
    },
    release(): void {
      assert(isHeld, "a lock that is released was acquired");
      isHeld = false;
      locks.release();
    },
    get stats() {
      return locks.stats;
    },
  };
}
