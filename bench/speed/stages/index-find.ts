import { NO_SERIES, type SeriesIndex } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { CATALOG } from "@varve/lab";
import { join } from "node:path";
import { missingIn } from "./hash.ts";
import { eachRange, forgetRefs, HASH_SEED, makeRows, type Rows, STORE_ID, sumOf } from "./rows.ts";
import type { Stage, StageContext } from "./stage.ts";

/** Finding the refs of known keys. */
export const indexFind: Stage = {
  missing,
  open: async (variant, context) => {
    const rows = await makeRows(context.sizes);
    const index = await openIndex(variant, rows, context);
    const begin = (): void => forgetRefs(rows);
    const pass = (size: number): void => {
      eachRange(rows, size, (batch, from, until) => index.find(batch, from, until));
    };
    begin();
    for (const batch of rows.batches) index.insert(batch, 0, batch.length);
    begin();
    pass(1);
    const close = (): Promise<void> => Promise.resolve(index[Symbol.asyncDispose]());
    return { count: rows.count, begin, pass, checks: refsOf(variant, rows), close };
  },
};

/** Giving refs to new keys, in an index that is empty when a pass begins. */
export const indexInsert: Stage = {
  missing,
  open: async (variant, context) => {
    const rows = await makeRows(context.sizes);
    let index = await openIndex(variant, rows, context);
    const close = (): Promise<void> => Promise.resolve(index[Symbol.asyncDispose]());
    const begin = async (): Promise<void> => {
      await close();
      index = await openIndex(variant, rows, context);
      forgetRefs(rows);
    };
    const pass = (size: number): void => {
      eachRange(rows, size, (batch, from, until) => {
        index.insert(batch, from, until);
      });
    };
    await begin();
    pass(1);
    return { count: rows.count, begin, pass, checks: refsOf(variant, rows), close };
  },
};

function missing(variant: string): string | null {
  return missingIn("series-index", variant);
}

async function openIndex(
  variant: string,
  { memory }: Rows,
  { dir }: StageContext,
): Promise<SeriesIndex> {
  const index = await CATALOG["series-index"][variant]!.make().open({
    memory,
    disk: nodeDisk(),
    dir: join(dir, "index"),
    storeId: STORE_ID,
    seed: HASH_SEED,
    seriesMax: 0xffffffff,
    seriesExpected: 0,
  });
  index.settle(1);
  return index;
}

/** Throws unless each row has a ref of its own. */
function refsOf(variant: string, { batches, count }: Rows): Record<string, number> {
  const refs = batches.flatMap(({ refs: own, length }) => [...own.subarray(0, length)]);
  if (new Set(refs).size !== count || refs.includes(NO_SERIES)) {
    throw new Error(`${variant} does not give every key its ref`);
  }
  return { "check-refs": sumOf(0, refs) };
}
