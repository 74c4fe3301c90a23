import { diskFailure, type Operation } from "../failure.ts";
import type { DiskModel, RepeatedSync, SimDiskOptions } from "./api.ts";
import type { SimDirectory } from "./directory.ts";
import { SimFile } from "./file.ts";
import { commitNames } from "./image.ts";
import { Steps } from "./steps.ts";
import { find } from "./tree.ts";

/** What a disk's syncs do, by its model. */
export class Syncs extends Steps {
  readonly model: DiskModel;
  readonly repeatedSyncs: RepeatedSync[] = [];
  protected readonly root: SimDirectory;
  /** Names that were changed up to this operation are in the journal. */
  #committedAt = 0;

  constructor(options: SimDiskOptions, root: SimDirectory) {
    super(options);
    this.model = options.model ?? "strictPosix";
    this.root = root;
  }

  protected sync(
    operation: Operation,
    path: string,
    target: SimFile | SimDirectory | undefined,
  ): void {
    this.#note(path, target);
    try {
      this.step(operation, path);
    } catch (error) {
      // The kernel marks the pages clean all the same: a second sync would succeed without them.
      if (!this.crashed) this.#fail(target, this.operations);
      throw error;
    }
    if (target === undefined) throw diskFailure(operation, path, this.#whyNoDirectory(path));
    this.#persist(target, this.operations);
  }

  protected async syncBeside(
    operation: Operation,
    path: string,
    target: SimFile | SimDirectory | undefined,
  ): Promise<void> {
    this.#note(path, target);
    let failure: unknown;
    try {
      this.step(operation, path);
      if (target === undefined) failure = diskFailure(operation, path, this.#whyNoDirectory(path));
    } catch (error) {
      failure = error;
    }
    const until = this.operations; // What is written or named while this waits may miss this sync.
    await Promise.resolve();
    if (this.crashed) throw this.crashError();
    if (failure === undefined) {
      if (target !== undefined) this.#persist(target, until);
      return;
    }
    this.#fail(target, until);
    throw failure;
  }

  #persist(target: SimFile | SimDirectory, until: number): void {
    if (this.model !== "strictPosix" && this.#needsCommit(target)) {
      commitNames(this.root, until);
      this.#committedAt = until;
    }
    target.persist(until);
  }

  /** A file that has its size and its name in the journal brings nothing else to the device. */
  #needsCommit(target: SimFile | SimDirectory): boolean {
    if (target instanceof SimFile) return target.changedAt > this.#committedAt;
    return target.pending.length > 0;
  }

  #fail(target: SimFile | SimDirectory | undefined, until: number): void {
    target?.dropPending(until);
    if (target instanceof SimFile) target.failedAt = this.operations;
  }

  #note(path: string, target: SimFile | SimDirectory | undefined): void {
    if (this.crashed || !(target instanceof SimFile) || target.failedAt === 0) return;
    this.repeatedSyncs.push({ path, failedAt: target.failedAt, at: this.operations + 1 });
  }

  #whyNoDirectory(path: string): string {
    return find(this.root, path) === undefined ? "ENOENT" : "ENOTDIR";
  }
}
