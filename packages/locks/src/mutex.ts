import {
  assert,
  NO_OFFSET,
  StorageError,
  type Locks,
  type LocksNeeds,
  type LockStats,
  type Offset,
  type Variant,
} from "@varve/contracts";

/** A lock has a cache line of its own, so that its neighbours' writes do not slow it down. */
const LINE_BYTES = 64;

/** Looks at a held lock this often before sleeping: a few microseconds, about what sleeping and waking cost. */
const SPINS = 200;

/** What the lock's word says. */
const FREE = 0;
const HELD = 1;
/** Held, and somebody sleeps: `release` has to wake one. */
const AWAITED = 2;

export interface MutexLocksOptions {
  /** How long `acquire` waits before it throws LOCKED: 10 s unless given. */
  readonly waitMsMax?: number;
  /**
   * Where the lock's word lies in the memory, for threads that share it: 4 bytes, zero before the first of them
   * opens the lock. Without it, the part takes a word that nobody else knows.
   */
  readonly at?: Offset;
}

/**
 * One lock for all, as a word of the linear memory: threads that agree on the word exclude one another.
 *
 * Not reentrant: a thread that acquires it twice waits for itself, and gets LOCKED. Who waits longest is not
 * necessarily first. A release of a lock that is free is an AssertionError; one by a thread that does not
 * hold it cannot be told. Counters are the part's own, not those of all threads.
 */
export function mutexLocks(options: MutexLocksOptions = {}): Variant<"locks"> {
  const { waitMsMax = 10_000, at = NO_OFFSET } = options;
  return {
    slot: "locks",
    name: "mutex",
    traits: { excludes: true },
    open: (needs) => new MutexLocks(needs, waitMsMax, at),
  };
}

class MutexLocks implements Locks {
  readonly #word: Int32Array;
  readonly #waitMsMax: number;
  #acquisitions = 0;
  #contended = 0;

  constructor({ memory }: LocksNeeds, waitMsMax: number, at: Offset) {
    const offset = at === NO_OFFSET ? memory.take(LINE_BYTES) : at;
    if (offset === NO_OFFSET) {
      throw new StorageError(
        "LIMIT",
        "no bytes are left for a lock; open with a larger memoryBytesMax",
        {
          facts: { limit: "memoryBytesMax", value: LINE_BYTES, max: memory.bytesMax },
        },
      );
    }
    this.#word = memory.words(offset, 1);
    this.#waitMsMax = waitMsMax;
  }

  get stats(): LockStats {
    return { acquisitions: this.#acquisitions, contended: this.#contended };
  }

  acquire(): void {
    if (Atomics.compareExchange(this.#word, 0, FREE, HELD) !== FREE) this.#wait();
    this.#acquisitions += 1;
  }

  release(): void {
    const before = Atomics.exchange(this.#word, 0, FREE);
    if (before === FREE) assert(false, "a lock is held when it is released");
    if (before === AWAITED) Atomics.notify(this.#word, 0, 1);
  }

  #wait(): void {
    this.#contended += 1;
    const word = this.#word;
    for (let i = 0; i < SPINS; i += 1) {
      if (Atomics.load(word, 0) !== FREE) continue;
      if (Atomics.compareExchange(word, 0, FREE, HELD) === FREE) return;
    }
    const deadline = performance.now() + this.#waitMsMax;
    // Whoever slept takes the lock as AWAITED, because others may sleep still.
    while (Atomics.exchange(word, 0, AWAITED) !== FREE) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw lockedFor(this.#waitMsMax);
      Atomics.wait(word, 0, AWAITED, leftMs);
    }
  }
}

function lockedFor(waitMsMax: number): StorageError {
  return new StorageError(
    "LOCKED",
    `the lock was held for ${waitMsMax} ms; its holder hangs or died, so reopen the store`,
    { facts: { waitMsMax } },
  );
}
