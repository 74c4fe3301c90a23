import { keyOf } from "@varve/bytes";
import type { Labels, Postings, SeriesKeys } from "@varve/contracts";
import { CATALOG } from "@varve/lab";
import { equal } from "@varve/matcher";
import { devopsSeries } from "@varve/workload";
import assert from "node:assert/strict";
import type { Bench } from "tinybench";
import type { BenchmarkOptions } from "./run.ts";
import {
  BATCH_ROWS,
  makeBatches,
  makeBench,
  makeLabels,
  makeMemory,
  numberRows,
  ROWS,
} from "./rows.ts";

/** Series out of which the queries select. */
const SERIES = 1_000_000;

/** Putting series into lists, and selecting out of a million. */
export async function benchmark(options: BenchmarkOptions): Promise<Bench> {
  const bench = makeBench("postings", options);
  const labels = makeLabels();
  const batches = await makeBatches(makeMemory(), labels);
  numberRows(batches);
  for (const batch of batches) batch.isNew.fill(1);
  const few = makeKeys(labels);
  const many = makeKeys(devopsSeries({ seed: 1, series: options.smoke ? ROWS : SERIES }));
  for (const [name, entry] of Object.entries(CATALOG.postings)) {
    let fresh: Postings | null = null;
    const openFresh = {
      beforeEach: async () => {
        fresh = await entry.make().open({ keys: few });
      },
    };
    const add = (): void => {
      for (const batch of batches) fresh!.add(batch, 0, BATCH_ROWS);
    };
    bench.add(`add: ${name}`, add, openFresh);
    const addAndAsk = (): void => {
      add();
      assert.equal(fresh!.select([]).length, ROWS);
    };
    bench.add(`add and ask once: ${name}`, addAndAsk, openFresh);
  }
  await addQueries(bench, many, labels);
  return bench;
}

/** Queries over filled lists: they are the same in every variant. */
async function addQueries(
  bench: Bench,
  keys: SeriesKeys,
  labels: readonly Labels[],
): Promise<void> {
  const postings = await CATALOG.postings["lazy"]!.make().open({ keys });
  assert.equal(postings.select([]).length, keys.nextRef - 1);
  const pairs = labels.map(({ __name__ = "", hostname = "" }) => [
    equal("hostname", hostname),
    equal("__name__", __name__),
  ]);
  bench.add(`select two labels out of ${keys.nextRef - 1}`, () => {
    for (const pair of pairs) assert.equal(postings.select(pair).length, 1);
  });
  const hosts = postings.labelValues("hostname", []).length;
  bench.add(`labelValues of ${hosts} values, whole, as if ${ROWS} rows`, () => {
    assert.equal(postings.labelValues("hostname", []).length, hosts);
  });
}

/** Keys in one array, as an index in memory has them. */
function makeKeys(series: Iterable<Labels>): SeriesKeys {
  const keys: Uint8Array[] = [new Uint8Array(0)];
  for (const labels of series) keys.push(keyOf(labels));
  const starts = new Float64Array(keys.length + 1);
  for (const [i, key] of keys.entries()) starts[i + 1] = starts[i]! + key.length;
  const bytes = new Uint8Array(starts[keys.length]!);
  for (const [i, key] of keys.entries()) bytes.set(key, starts[i]);
  const lengthOf = (ref: number): number =>
    ref < keys.length ? starts[ref + 1]! - starts[ref]! : 0;
  const nextRef = keys.length;
  return {
    nextRef,
    keyBytes: lengthOf,
    copyKey(ref, into, at) {
      const from = starts[ref]!;
      const length = lengthOf(ref);
      for (let i = 0; i < length; i += 1) into[at + i] = bytes[from + i]!;
      return length;
    },
  };
}
