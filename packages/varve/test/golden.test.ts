import { FORMAT_VERSION, recommended, type Engine, type Plan } from "varve";
import { expect, test } from "vitest";
import { expectSame } from "./expect-same.ts";
import { START, WINDOW_MS } from "./golden/content.ts";
import { copyOf, filesIn, GOLDEN } from "./golden/directory.ts";
import { goldenStores } from "./golden/stores.ts";
import { bitsOf, type Content, contentOf, nameOf, openStore, planWith } from "./helpers.ts";

/** Later than all that the golden stores hold. */
const LATER = START + 20 * WINDOW_MS;

test("every version that was ever written has its golden directories", () => {
  expect(new Set(GOLDEN.map((name) => /^v(\d+)/.exec(name)![1])).size).toBe(FORMAT_VERSION);
  const today = [...goldenStores().keys()].map((name) => `v${FORMAT_VERSION}-${name}`);
  expect(GOLDEN).toEqual(expect.arrayContaining(today));
});

for (const name of GOLDEN) {
  test(`${name} shows what it was made of, as its maker opens it and as the recommended plan does`, async () => {
    for (const plan of [copyOf(name).plan, recommended()]) {
      const { dir, expected } = copyOf(name);
      const store = await openQuiet(dir, plan);
      expectSame(await contentOf(store), expected, name);
      expect(store.recovery.wal.unclean).toBe(name.endsWith("-killed"));
      expect(store.recovery).toMatchObject({ samplesOrphaned: 0, sealed: { damaged: 0 } });
      expect(store.recovery.index.rebuilt).toBe(false);
      expect(store.stats().blocks.quarantined).toEqual([]);
      await store.close();
    }
  });

  test(`${name} is read as it is, without a byte of it changed`, async () => {
    const { dir, expected } = copyOf(name);
    const before = filesIn(dir);
    const store = await openStore({ dir, plan: recommended(), readOnly: true });
    expectSame(await contentOf(store), expected, name);
    await store.close();
    expect(filesIn(dir)).toEqual(before);
  });

  test(`${name} is written to, cut into blocks and opened again`, async () => {
    const { dir, plan, expected } = copyOf(name);
    const store = await openQuiet(dir, plan);
    append(store, expected, LATER);
    expectSame(await contentOf(store), expected, name);
    await store.close();
    const again = await openQuiet(dir, plan);
    expectSame(await contentOf(again), expected, `${name}, opened again`);
    await again.cutBlocks();
    await again.compactLog();
    append(again, expected, LATER + WINDOW_MS);
    await again.close();
    const cut = await openQuiet(dir, planWith({ wal: plan.wal }));
    expect(cut.stats().blocks.blocks).toBeGreaterThan(0);
    expectSame(await contentOf(cut), expected, `${name}, cut`);
    await cut.close();
  });
}

function openQuiet(dir: string, plan: Plan): Promise<Engine> {
  return openStore({ dir, plan, maintainEveryMs: 0 });
}

/** A sample more of each series, and one of a new series. */
function append(store: Engine, content: Content, time: number): void {
  for (const name of [...content.keys(), nameOf({ __name__: "new", time: String(time) })]) {
    store.write(Object.fromEntries(JSON.parse(name) as [string, string][]), time, 0.5);
    content.set(name, [...(content.get(name) ?? []), [time, bitsOf(0.5)]]);
  }
}
