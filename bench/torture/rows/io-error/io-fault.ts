import type { Random } from "@varve/bytes";
import { isStorageError } from "@varve/contracts";
import type { FaultScript, Operation, SimDisk } from "@varve/disk/sim";
import { Broken } from "../../row.ts";

/**
 * One call fails; all of its kind from there on; all calls whatsoever: then the file system is gone, and only comes back
 * without what was not synced.
 */
type Extent = "once" | "kind" | "all";

/** A call of a disk that fails. */
export interface IoFault {
  /** Counted from 1 over all calls of a workload. */
  readonly at: number;
  readonly errno: string;
  readonly extent: Extent;
}

/** A fault as it was met. */
interface Met {
  readonly fault: IoFault;
  readonly operation: Operation;
  readonly path: string;
}

const ERRNOS = ["EIO", "ENOSPC"] as const;
const EXTENTS = ["once", "kind", "all"] as const;
/** Steps that fail before a device that fails calls of a kind works again. */
const FAILURES_UNTIL_END = 4;
/** Turns of the event loop that whatever is asked of a store may take. Thousands of times what any has needed. */
const TURNS_MAX = 20_000;

/** Every way in which one call fails. */
export function faultsAt(at: number): IoFault[] {
  return ERRNOS.flatMap((errno) => EXTENTS.map((extent) => ({ at, errno, extent })));
}

/** Two calls that fail, each in a way of its own, the first among the next `calls`. */
export function twoFaults(random: Random, calls: number): IoFault[] {
  const first = 1 + random.below(calls);
  const draw = (at: number): IoFault => ({
    at,
    errno: random.pick(ERRNOS),
    extent: random.pick(EXTENTS.slice(0, 2)),
  });
  return [draw(first), draw(first + 1 + random.below(random.chance(0.5) ? 12 : calls))];
}

/** Faults of one disk, and what came of them. */
export class IoFaults {
  readonly met: Met[] = [];
  readonly #faults: readonly IoFault[];
  #isOver = false;

  constructor(faults: readonly IoFault[]) {
    this.#faults = faults;
  }

  /** Every fault that there is has been met. */
  get areMet(): boolean {
    return this.met.length === this.#faults.length;
  }

  /** Nothing works any more, before the disk is mounted anew. */
  get isGone(): boolean {
    return this.met.some(({ fault }) => fault.extent === "all");
  }

  /** No call fails any more, if no further fault is met. */
  get arePast(): boolean {
    return this.#isOver || this.met.every(({ fault }) => fault.extent === "once");
  }

  /** The device works again, for good. */
  end(): void {
    this.#isOver = true;
  }

  /** A step has failed for the so-and-so-many-th time: some devices work again by then. */
  afterFailures(count: number): void {
    if (count === FAILURES_UNTIL_END && !this.isGone) this.end();
  }

  readonly script: FaultScript = (number, operation, path) => {
    if (this.#isOver) return undefined;
    for (const fault of this.#faults) {
      if (fault.at === number) this.met.push({ fault, operation, path });
    }
    const failing = this.met.find(
      ({ fault, operation: kind }) =>
        fault.at === number ||
        fault.extent === "all" ||
        (fault.extent === "kind" && kind === operation),
    );
    return failing?.fault.errno;
  };
}

/** What a fault may be answered with: an error with a code that says so. */
export function checkTyped(error: unknown, faults: IoFaults): asserts error is Error {
  if (error instanceof Broken) throw error;
  if (faults.met.length === 0 || !isStorageError(error)) throw error;
  if (CODES.has(error.code)) return;
  throw new Broken("wrong", `a disk that fails is called ${error.code}: ${error.message}`);
}

const CODES: ReadonlySet<string> = new Set(["DISK", "STORAGE_FULL", "WAL_SYNC", "POISONED"]);

/** What a promise settles with. One that does not within so many turns of the event loop hangs. */
export async function settled<T>(promise: Promise<T>, what: string): Promise<T> {
  let isSettled = false;
  const done = promise.finally(() => {
    isSettled = true;
  });
  done.catch(() => undefined);
  for (let turn = 0; turn < TURNS_MAX && !isSettled; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (isSettled) return done;
  throw new Broken("hang", `${what} did not settle within ${TURNS_MAX} turns of the event loop`);
}

/** Nothing is synced again whose sync has failed since the operation given: nobody knows what that would say. */
export function checkSyncs(disk: SimDisk, since: number): void {
  const repeated = disk.repeatedSyncs.find(({ failedAt }) => failedAt > since);
  if (repeated === undefined) return;
  const { path, failedAt, at } = repeated;
  throw new Broken("wrong", `${path} failed to sync at call ${failedAt}, and call ${at} syncs it`);
}
