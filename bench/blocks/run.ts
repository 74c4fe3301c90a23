import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { inChild } from "./in-child.ts";
import type { DecodeResult, Results, WriteResult } from "./results.ts";
import type { Sizes, Task, Values, Work } from "./spec.ts";

export interface RunOptions {
  readonly works: readonly Work[];
  readonly sizes: Sizes;
  readonly seed: number;
  /** Where the files go, in a directory that is gone afterwards. Default: the system's place for such. */
  readonly dir?: string;
  /** Further flags of Node's for the children. */
  readonly execArgv?: readonly string[];
  readonly signal?: AbortSignal;
  /** Told what begins, and how far it is. */
  readonly onProgress?: (text: string) => void;
}

/** Runs the works, each task in a process of its own. What the signal cut off is missing in the results. */
export async function runWorks(options: RunOptions): Promise<Results> {
  const dir = mkdtempSync(join(resolve(options.dir ?? tmpdir()), "varve-blocks-"));
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  process.on("exit", remove);
  try {
    return await new Run(options, dir).all();
  } finally {
    process.off("exit", remove);
    remove();
  }
}

class Run {
  readonly #options: RunOptions;
  readonly #dir: string;
  readonly #results: Results = {};

  constructor(options: RunOptions, dir: string) {
    this.#options = options;
    this.#dir = dir;
  }

  async all(): Promise<Results> {
    const { works } = this.#options;
    const has = (work: Work): boolean => works.includes(work);
    if (has("write") || has("decode") || has("select")) {
      const written = await this.#block<WriteResult>("integers");
      if (has("write")) this.#keep("write", written);
    }
    if (has("decode")) {
      await this.#block("doubles");
      const decoded: DecodeResult[] = [];
      for (const values of ["integers", "doubles"] as const) {
        const result = await this.#do<DecodeResult>({ kind: "decode", values });
        if (result !== null) decoded.push(result);
      }
      this.#keep("decode", decoded);
    }
    if (has("select")) this.#keep("select", await this.#do({ kind: "select" }));
    if (has("churn")) {
      this.#keep("idle", await this.#do({ kind: "idle" }));
      this.#keep("churn", await this.#do({ kind: "churn" }));
    }
    return this.#results;
  }

  #keep<K extends keyof Results>(work: K, result: Results[K] | null): void {
    if (result !== null) this.#results[work] = result;
  }

  async #block<R>(values: Values): Promise<R | null> {
    await this.#do({ kind: "input", values });
    return this.#do<R>({ kind: "write", values });
  }

  async #do<R>(task: Task): Promise<R | null> {
    const { sizes, seed, execArgv, signal, onProgress } = this.#options;
    if (signal?.aborted === true) return null;
    const name = "values" in task ? `${task.kind} ${task.values}` : task.kind;
    onProgress?.(name);
    const job = { task, sizes, seed, dir: this.#dir };
    const result = await inChild(job, {
      execArgv,
      signal,
      onProgress: (done, total) => onProgress?.(`${name} ${done}/${total}`),
    });
    return result as R | null;
  }
}
