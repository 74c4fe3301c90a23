import type { Disk, Plan } from "@varve/contracts";
import { open, type Engine } from "@varve/engine";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { FreshDirs } from "./fresh-dirs.ts";
import type { FullCellSpec } from "./spec.ts";

/** Makes the fresh stores of a cell, one after the other, and opens them again. */
export class StoreMaker {
  readonly #spec: FullCellSpec;
  readonly #makePlan: () => Plan;
  readonly #dirs: FreshDirs;

  constructor(spec: FullCellSpec, makePlan: () => Plan, dir: string) {
    this.#spec = spec;
    this.#makePlan = makePlan;
    this.#dirs = new FreshDirs(dir);
  }

  /** A directory that no store was in. */
  next(): string {
    return join(this.#dirs.next(), "store");
  }

  /** Opens a store with a plan of its own. Keys are hashed with a seed that depends on the spec alone. */
  open(dir: string, options: { readonly timing: boolean; readonly disk?: Disk }): Promise<Engine> {
    const { engine, workload } = this.#spec;
    return open({
      ...engine,
      dir,
      plan: this.#makePlan(),
      disk: options.disk,
      timing: options.timing ? engine.timing : "off",
      hashSeed: { low: workload.seed >>> 0, high: 0x9e3779b9 },
    });
  }

  async remove(dir: string): Promise<void> {
    await rm(dir, { recursive: true, force: true });
  }
}
