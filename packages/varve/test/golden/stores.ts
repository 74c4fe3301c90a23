import { backgroundBlocks } from "@varve/block-manager/background";
import { inlineRecord } from "@varve/record/inline";
import { refRecord } from "@varve/record/ref";
import { lmdbIndex } from "@varve/series-index-lmdb";
import { asyncWal } from "@varve/wal/async";
import { batchedWal } from "@varve/wal/batched";
import { syncWal } from "@varve/wal/sync";
import type { Engine, Plan } from "varve";
import { planWith } from "../helpers.ts";
import { type Recorder, START, WINDOW_MS } from "./content.ts";

/** A golden store: how it is composed, and what is done to it in each of its openings. */
export interface GoldenStore {
  readonly plan: Plan;
  readonly openings: readonly ((store: Engine, recorder: Recorder) => Promise<void> | void)[];
  /** The last opening ends by SIGKILL instead of a close. */
  readonly isKilled?: boolean;
}

const SERIES = 8;
/** Samples of a series in an opening that only writes. */
const SAMPLES = 24;
const STEP_MS = 15_000;

const LOGS = { sync: syncWal(), batched: batchedWal(), async: asyncWal() };
const RECORDS = { ref: refRecord(), inline: inlineRecord() };

/** Every golden store of the version that is written today, by name. */
export function goldenStores(): ReadonlyMap<string, GoldenStore> {
  const stores = new Map<string, GoldenStore>();
  for (const [log, wal] of Object.entries(LOGS)) {
    for (const [codec, record] of Object.entries(RECORDS)) {
      const plan = planWith({ wal, record });
      stores.set(`${log}-${codec}`, { plan, openings: [write(0), write(1)] });
    }
  }
  stores.set("killed", {
    plan: planWith({ wal: batchedWal() }),
    openings: [write(0), write(1)],
    isKilled: true,
  });
  const chunks = backgroundBlocks({ samplesPerChunk: 10 });
  stores.set("sealed", {
    plan: planWith({ "block-manager": chunks }),
    openings: [cutLog(0), cutLog(1), write(2)],
  });
  const late = backgroundBlocks({ outOfOrderWindowMs: 2 * WINDOW_MS });
  stores.set("blocks", { plan: planWith({ "block-manager": late }), openings: [fillBlocks] });
  stores.set("lmdb", {
    plan: planWith({ "series-index": lmdbIndex() }),
    openings: [write(0), cutLog(1)],
  });
  return stores;
}

function write(opening: number): GoldenStore["openings"][number] {
  return (store, recorder) => {
    for (let i = opening * SAMPLES; i < (opening + 1) * SAMPLES; i += 1) {
      // A series that comes with the second opening, and one that ends with the first.
      for (let series = 0; series < SERIES; series += 1) {
        if ((series === 6 && opening === 0) || (series === 7 && opening > 0)) continue;
        recorder.write(store, series, START + i * STEP_MS + series, i);
      }
    }
  };
}

/** Writes, moves all of it to `sealed/` and cuts the log, then writes some more. */
function cutLog(opening: number): GoldenStore["openings"][number] {
  return async (store, recorder) => {
    await write(opening)(store, recorder);
    await store.compactLog();
    const last = (opening + 1) * SAMPLES * STEP_MS - STEP_MS / 2;
    for (let series = 0; series < 4; series += 1) {
      recorder.write(store, series, START + last + series, opening);
    }
  };
}

/**
 * Seven windows. Five are cut to blocks, three of those merged; late rows are in blocks of their own, in merged ones
 * and in the log, deletions in blocks and in the log.
 */
async function fillBlocks(store: Engine, recorder: Recorder): Promise<void> {
  const step = WINDOW_MS / 6;
  const window = (number: number): void => {
    for (let i = number * 6; i < (number + 1) * 6; i += 1) {
      for (let series = 0; series < SERIES; series += 1) {
        if (series === 7 && number < 6) continue; // Its first sample is in the log.
        const isLate = series < 2 && i % 6 === 3;
        if (!isLate) recorder.write(store, series, START + i * step + series, i);
      }
    }
    if (number === 0) return;
    for (let series = 0; series < 2; series += 1) {
      const i = (number - 1) * 6 + 3;
      recorder.write(store, series, START + i * step + series, i);
    }
  };
  for (let number = 0; number < 3; number += 1) window(number);
  await store.cutBlocks({ before: START + 2 * WINDOW_MS });
  for (let number = 3; number < 5; number += 1) window(number);
  await store.cutBlocks();
  await store.compactLog();
  for (let number = 5; number < 7; number += 1) window(number);
  await recorder.delete(store, 2, START + 1.5 * WINDOW_MS, START + 4.5 * WINDOW_MS);
  await recorder.delete(store, 7, START + 6.2 * WINDOW_MS, START + 6.6 * WINDOW_MS);
}
