import type { Random } from "@varve/bytes";
import { join } from "node:path";
import { type Engine, open } from "varve";
import { planOf } from "./engine-steps.ts";
import { type NumberedMarks, type NumberedStore, smallLog } from "./numbered-log.ts";
import { fillNumbered, lastNumbered, timeAfter } from "./numbered-rows.ts";
import type { LogName } from "../process/victim.ts";

const MEMORY_BYTES_MAX = 64 * 2 ** 20;
const BLOCK_MS = 4096;

/** Opens an engine, and checks every row that it holds. */
export async function openNumberedEngine(dir: string, name: LogName): Promise<NumberedStore> {
  const store = await open({
    dir: join(dir, "data"),
    plan: planOf(smallLog(name), BLOCK_MS, 2),
    memoryBytesMax: MEMORY_BYTES_MAX,
    maintainEveryMs: 0,
    prefaultBytes: 0,
  });
  return new NumberedEngine(store, await lastNumbered(store));
}

class NumberedEngine implements NumberedStore {
  readonly last: number;
  readonly checkpoint = 0;
  readonly #store: Engine;
  /** The log's numbers of the batches since the opening, and how many of them are written and durable. */
  readonly #lsns: number[] = [];
  #written = 0;
  #durable = 0;

  constructor(store: Engine, last: number) {
    this.#store = store;
    this.last = last;
  }

  get marks(): NumberedMarks {
    const { written, durable } = this.#store.marks;
    const lsns = this.#lsns;
    while (this.#written < lsns.length && lsns[this.#written]! <= written) this.#written += 1;
    while (this.#durable < lsns.length && lsns[this.#durable]! <= durable) this.#durable += 1;
    const { last } = this;
    return {
      accepted: last + lsns.length,
      written: last + this.#written,
      durable: last + this.#durable,
    };
  }

  write(batch: number): void {
    using rows = this.#store.batch(16);
    fillNumbered(rows, batch);
    this.#lsns.push(this.#store.writeBatch(rows).lsn);
  }

  commit(): Promise<unknown> {
    return this.#store.flush();
  }

  async tidy(random: Random): Promise<void> {
    const draw = random.unit();
    if (draw < 0.6) await this.#store.maintain();
    else if (draw < 0.85) await this.#store.compactLog();
    else {
      const time = timeAfter(this.last + this.#lsns.length);
      await this.#store.cutBlocks({ before: Math.floor(time / BLOCK_MS - 1) * BLOCK_MS });
    }
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  handleSignals(): void {
    this.#store.installShutdownHooks();
  }
}
