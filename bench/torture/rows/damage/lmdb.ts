import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Plan } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { lmdbIndex } from "@varve/series-index-lmdb";
import { Broken } from "../../row.ts";
import type { Damage, Original } from "./file.ts";
import { fillStore, openStore, smallPlan, type StoreContent, writeNew } from "./store.ts";

const FILES = ["data.mdb", "data.mdb", "data.mdb", "STATE", "lock.mdb"] as const;
const INDEX_DIR = "index.lmdb";

/** Stores with an LMDB index on a real disk: one that was closed, and one whose process died. */
export class DamagedLmdb {
  readonly #plan: Plan;
  readonly #content: StoreContent;
  readonly #dir: string;
  readonly #stores: readonly string[];

  private constructor(dir: string, plan: Plan, content: StoreContent, stores: readonly string[]) {
    this.#dir = dir;
    this.#plan = plan;
    this.#content = content;
    this.#stores = stores;
  }

  static async make(dir: string): Promise<DamagedLmdb> {
    const plan = { ...smallPlan(), "series-index": lmdbIndex() };
    const closed = join(dir, "closed");
    const killed = join(dir, "killed");
    const store = await openStore(nodeDisk(), plan, closed);
    const content = await fillStore(store, { block: [60, 2], sealed: [40, 2], log: [20, 2] });
    copy(closed, killed);
    await store.close();
    return new DamagedLmdb(dir, plan, content, [closed, killed]);
  }

  /** The `number`-th file to damage: of the closed store, then of the killed one. */
  file(number: number): { readonly path: string; readonly original: Original } {
    const store = this.#stores[number % 2]!;
    const path = join(store, INDEX_DIR, FILES[Math.floor(number / 2) % FILES.length]!);
    const bytes = Uint8Array.from(readFileSync(path));
    const spans = [{ from: 0, until: bytes.length }];
    const others = this.#stores.map((each) =>
      Uint8Array.from(readFileSync(join(each, INDEX_DIR, basename(path)))),
    );
    return { path, original: { bytes, spans, frames: [], others } };
  }

  /** All series and rows are there: the index is a cache, and is built again when it is in doubt. */
  async check(path: string, damage: Damage): Promise<void> {
    const dir = mkdtempSync(join(this.#dir, "damaged-"));
    try {
      const from = this.#stores.find((store) => path.startsWith(`${store}/`))!;
      copy(from, dir);
      writeFileSync(join(dir, path.slice(from.length)), damage.bytes);
      const content = this.#content.copy();
      const store = await openStore(nodeDisk(), this.#plan, dir);
      await holds(store, content, "once it is opened");
      writeNew(store, content);
      await store.close();
      const again = await openStore(nodeDisk(), this.#plan, dir);
      await holds(again, content, "after a close");
      if (again.recovery.index.rebuilt) {
        throw new Broken(
          "wrong",
          `the next opening had to build it again: ${again.recovery.index.reason}`,
        );
      }
      await again.close();
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
}

async function holds(
  store: Awaited<ReturnType<typeof openStore>>,
  content: StoreContent,
  when: string,
): Promise<void> {
  const missing = await content.missing(store, when);
  if (missing.size > 0)
    throw new Broken("lost", `${JSON.stringify([...missing])} are missing ${when}`);
}

/** Copies a store as its disk has it. Closing a copy's source would let go of the lock that it is. */
function copy(from: string, to: string): void {
  const isCopied = (path: string): boolean => !basename(path).startsWith("LOCK");
  cpSync(from, to, { recursive: true, filter: isCopied });
}
