import { makeRandom } from "@varve/bytes";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { BUGS } from "../torture/planted/bugs.ts";
import { ROWS } from "../torture/rows.ts";

/** Seeds that have found something, by row: what they found stays mended. A change of what a trial draws makes them idle. */
const FOUND: Readonly<Record<string, readonly number[]>> = {
  // Recovery wrote a tail anew in place, which a power cut tore; names whose sync had failed were believed.
  "sim-wal-sync": [1181, 1236, 1364, 1927, 2038, 2086, 2478, 2722, 2771, 3148],
  "sim-wal-batched": [616, 877, 924, 936, 2114, 2169, 2301, 2331, 2491, 2878],
  "sim-wal-async": [397, 877, 924, 936, 1275, 1510, 2114, 2169, 2301, 2878],
};

for (const [id, seeds] of Object.entries(FOUND)) {
  test(`${id}: seeds that have found something find nothing any more`, async () => {
    const row = ROWS.find((each) => each.id === id)!;
    const dir = mkdtempSync(join(tmpdir(), "varve-torture-"));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    for (const seed of seeds) {
      const count = await row.trial({ tier: "pr", seed, random: makeRandom(seed), dir });
      expect(count).toBeGreaterThan(0);
    }
  });
}

test("rows and planted bugs have ids of their own, and each bug has its row", () => {
  const ids = ROWS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(BUGS.map(({ id }) => id)).size).toBe(BUGS.length);
  for (const { row } of BUGS) expect(ids).toContain(row);
});

test("each planted bug fits the sources as they are", () => {
  for (const { id, file, find } of BUGS) {
    const source = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    expect(source.split(find).length, id).toBe(2);
  }
});
