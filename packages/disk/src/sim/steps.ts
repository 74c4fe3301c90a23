import { diskFailure, type Operation } from "../failure.ts";
import { Crash, type FaultScript, type SimDiskOptions } from "./api.ts";

/** Counts a disk's operations, and lets the crash and the fault script have their say about each. */
export class Steps {
  readonly seed: number;
  operations = 0;
  crashAt: number;
  fault: FaultScript | undefined;
  crashed = false;
  readonly #counts = new Map<Operation, number>();

  constructor(options: SimDiskOptions) {
    const { seed = 1, crashAt = 0, fault } = options;
    this.seed = seed;
    this.crashAt = crashAt;
    this.fault = fault;
  }

  count(operation: Operation): number {
    return this.#counts.get(operation) ?? 0;
  }

  crash(): void {
    this.crashed = true;
  }

  /** Begins an operation: throws what becomes of it, or answers the most bytes that it may move. */
  protected step(operation: Operation, path: string): number {
    if (this.crashed) throw this.crashError();
    this.operations += 1;
    this.#counts.set(operation, this.count(operation) + 1);
    if (this.operations === this.crashAt) {
      this.crashed = true;
      throw this.crashError();
    }
    const fault = this.fault?.(this.operations, operation, path);
    if (typeof fault === "string") throw diskFailure(operation, path, fault);
    return fault ?? Number.MAX_SAFE_INTEGER;
  }

  protected crashError(): Crash {
    return new Crash(
      `the disk has crashed, after ${this.operations} operations (seed ${this.seed})`,
    );
  }
}
