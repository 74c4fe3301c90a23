import { makeBatch, makeRandom, type Random, type RowBatch } from "@varve/bytes";
import { assert, type Memory, type Slot, type Slots, type Variant } from "@varve/contracts";
import type { SimDisk } from "@varve/disk/sim";
import type { DiskKind } from "./case.ts";
import { needsFor } from "./needs.ts";

/** What a run is given beside the variant. */
export interface TrialOptions {
  /** Decides every random choice. */
  readonly seed?: number;
  /** By default `sim`, and `node` for threaded logs and persistent indexes. */
  readonly disk?: DiskKind;
  readonly memoryBytesMax?: number;
  /**
   * The module and the export of a lock's factory, so that worker threads can open it, too. Without it, that
   * threads are kept apart is not tried.
   */
  readonly entry?: { readonly url: string; readonly export: string };
}

/** One run of one case: a variant, fresh needs, and a seeded source of randomness. */
export class Trial<S extends Slot> implements AsyncDisposable {
  readonly variant: Variant<S>;
  readonly options: TrialOptions;
  readonly seed: number;
  readonly random: Random;
  readonly needs: Slots[S]["needs"];
  readonly #cleanup: Disposable;
  readonly #open = new Set<AsyncDisposable>();
  #memory: Memory | undefined;

  constructor(variant: Variant<S>, options: TrialOptions = {}) {
    this.variant = variant;
    this.options = options;
    this.seed = options.seed ?? 1;
    this.random = makeRandom(this.seed);
    const disk = diskFor(variant, options);
    const { memoryBytesMax } = options;
    const needs = needsFor(variant.slot as S, {
      seed: this.seed,
      disk,
      ...(memoryBytesMax === undefined ? {} : { memoryBytesMax }),
    });
    this.needs = needs.needs;
    this.#cleanup = needs;
  }

  /** Opens the variant; parts left open are closed when the trial ends. */
  async open(overrides: Partial<Slots[S]["needs"]> = {}): Promise<Slots[S]["part"]> {
    const part = await this.variant.open({ ...this.needs, ...overrides });
    if (Symbol.asyncDispose in part) this.#open.add(part);
    return part;
  }

  /** Closes a part as its user would. */
  async close(part: AsyncDisposable): Promise<void> {
    this.#open.delete(part);
    await part[Symbol.asyncDispose]();
  }

  /** Lets go of a part whose process has died, its disk crashed or gone: closing it must change nothing. */
  async kill(part: AsyncDisposable): Promise<void> {
    this.#open.delete(part);
    try {
      await part[Symbol.asyncDispose]();
    } catch {
      // It writes to a disk that is no more.
    }
  }

  /** An empty batch. It lies in the memory of the part's needs, where they have one. */
  batch(capacity: number): RowBatch {
    return makeBatch(this.memory, capacity);
  }

  get memory(): Memory {
    if ("memory" in this.needs && this.needs.memory !== undefined) return this.needs.memory;
    this.#memory ??= needsFor("locks").needs.memory;
    return this.#memory;
  }

  /** The simulated disk of the needs. */
  get sim(): SimDisk {
    const { needs } = this;
    assert("disk" in needs && "image" in needs.disk, "the case runs on the simulated disk");
    return needs.disk as SimDisk;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      for (const part of this.#open) await part[Symbol.asyncDispose]();
    } catch {
      // A part on a failed disk may refuse to close: what the case found out counts.
    } finally {
      this.#cleanup[Symbol.dispose]();
    }
  }
}

/** Where a variant's cases run unless the author says otherwise. */
export function diskFor(variant: Variant, options: TrialOptions): DiskKind {
  if (options.disk !== undefined) return options.disk;
  const { traits } = variant;
  const wantsFiles = ("threaded" in traits && traits.threaded) || isPersistentIndex(variant);
  return wantsFiles ? "node" : "sim";
}

function isPersistentIndex({ slot, traits }: Variant): boolean {
  return slot === "series-index" && "persistent" in traits && traits.persistent;
}
