import type { Lsn } from "@varve/contracts";

interface Waiter {
  readonly lsn: Lsn;
  readonly resolve: (durable: Lsn) => void;
  readonly reject: (error: unknown) => void;
}

/** Callers of `commit` that wait for a batch to be durable, in the order in which they came. */
export class Waiters {
  #waiting: Waiter[] = [];

  get count(): number {
    return this.#waiting.length;
  }

  wait(lsn: Lsn): Promise<Lsn> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ lsn, resolve, reject });
    });
  }

  /** Resolves all that wait for no more than `durable`. */
  resolve(durable: Lsn): void {
    let done = 0;
    while (done < this.#waiting.length && this.#waiting[done]!.lsn <= durable) {
      this.#waiting[done]!.resolve(durable);
      done += 1;
    }
    if (done > 0) this.#waiting = this.#waiting.slice(done);
  }

  reject(error: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) waiter.reject(error);
  }
}
