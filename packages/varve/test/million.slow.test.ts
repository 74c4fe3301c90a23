import type { Variant } from "@varve/contracts";
import { mapIndex } from "@varve/series-index/map";
import { openAddressedIndex } from "@varve/series-index/open-addressed";
import { openAddressedWasmIndex } from "@varve/series-index/open-addressed-wasm";
import { lmdbIndex } from "@varve/series-index-lmdb";
import { readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { open, type Engine } from "varve";
import { freshDir, planWith } from "./helpers.ts";

const SERIES = 1_000_000;

const INDEXES = [mapIndex(), openAddressedIndex(), openAddressedWasmIndex(), lmdbIndex()];

for (const index of INDEXES) {
  test(`${index.name}: a million distinct series are written, closed, reopened and all found`, async () => {
    const dir = freshDir();
    const store = await openWith(dir, index);
    for (let i = 0; i < SERIES; i += 1) store.write(labelsOf(i), 1000, i);
    expect(store.stats().series).toBe(SERIES);
    await store.close();

    let reopened = await openWith(dir, index);
    expect(reopened.recovery.index.rebuilt).toBe(false);
    await expectAll(reopened);
    await reopened.close();

    if (!index.traits.persistent) return;
    damage(join(dir, `index.${index.name}`));
    reopened = await openWith(dir, index);
    expect(reopened.recovery.index.rebuilt).toBe(true);
    await expectAll(reopened);
    await reopened.close();
  }, 240_000);
}

function openWith(dir: string, index: Variant<"series-index">): Promise<Engine> {
  return open({ dir, plan: planWith({ "series-index": index }) });
}

function labelsOf(i: number): Record<string, string> {
  return {
    __name__: "requests_total",
    host: `host_${i % 1000}`,
    path: `/item/${Math.floor(i / 1000)}`,
  };
}

/** Every series is there once, under its own labels, with its own value; a write to each finds it. */
async function expectAll(store: Engine): Promise<void> {
  const seen = new Uint8Array(SERIES);
  let found = 0;
  for await (const { labels, times, values } of store.select({})) {
    const i = Number(labels["path"]!.slice(6)) * 1000 + Number(labels["host"]!.slice(5));
    if (times.length !== 1 || times[0] !== 1000 || values[0] !== i || seen[i] === 1) break;
    seen[i] = 1;
    found += 1;
  }
  expect(found).toBe(SERIES);
  for (let i = 0; i < SERIES; i += 997) store.write(labelsOf(i), 1000, i); // Repeats: changes nothing.
  expect(store.stats().series).toBe(SERIES);
}

/** Cuts the largest file of an index on disk in half. */
function damage(dir: string): void {
  const files = readdirSync(dir).map((name) => join(dir, name));
  const largest = files.reduce((a, b) => (statSync(a).size >= statSync(b).size ? a : b));
  truncateSync(largest, Math.floor(statSync(largest).size / 2));
}
