import { lmdbIndex } from "@varve/series-index-lmdb";
import { inlineRecord } from "@varve/record/inline";
import { refRecord } from "@varve/record/ref";
import { asyncWal } from "@varve/wal/async";
import { batchedWal } from "@varve/wal/batched";
import { syncWal } from "@varve/wal/sync";
import { openAddressedIndex } from "@varve/series-index/open-addressed";
import type { Plan } from "varve";
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freshDir, planWith } from "../helpers.ts";
import { contentIn } from "./content.ts";

/** Names of the golden directories of every version so far. */
export const GOLDEN = readdirSync(import.meta.dirname).filter((name) => /^v\d+[a-z]?-/.test(name));

/** Variants by their names, in the slots that decide what is on disk. */
const VARIANTS = {
  wal: { sync: syncWal(), batched: batchedWal(), async: asyncWal() },
  record: { ref: refRecord(), inline: inlineRecord() },
  "series-index": { "open-addressed": openAddressedIndex(), lmdb: lmdbIndex() },
};

/** A copy of a golden directory that goes with the test, the plan it was made by, and what it must show. */
export function copyOf(name: string) {
  const golden = join(import.meta.dirname, name);
  const dir = freshDir();
  cpSync(join(golden, "data"), dir, { recursive: true });
  const text = readFileSync(join(golden, "expected.json"), "utf8");
  return { dir, plan: planIn(text), expected: contentIn(text) };
}

function planIn(text: string): Plan {
  const { plan } = JSON.parse(text) as { readonly plan: Readonly<Record<string, string>> };
  const named = Object.entries(VARIANTS).map(([slot, variants]) => {
    const variant = (variants as Readonly<Record<string, unknown>>)[plan[slot]!];
    if (variant === undefined) throw new Error(`a ${slot} named ${plan[slot]} is known here`);
    return [slot, variant];
  });
  return planWith(Object.fromEntries(named) as Partial<Plan>);
}

/** Names and bytes of all files below a directory, the locks of whoever opened it excepted. */
export function filesIn(dir: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /^LOCK|^lock\.mdb$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(
      path.slice(dir.length + 1),
      createHash("sha256").update(readFileSync(path)).digest("hex"),
    );
  }
  return new Map([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
