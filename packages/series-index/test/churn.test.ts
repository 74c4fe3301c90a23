import { describe, expect, test } from "vitest";
import { mapIndex } from "../src/map.ts";
import { openAddressedWasmIndex } from "../src/open-addressed-wasm.ts";
import { openAddressedIndex } from "../src/open-addressed.ts";
import { churn } from "./churn.ts";

const ROUNDS = { seed: 1, rounds: 20, series: 20_000, life: 2 };
/** Bytes of a key of these tests with its header, and of its slot and place when tables are as empty as they get. */
const KEY_BYTES = 84 + (2 * 16) / 0.35 + 4;

describe.each([
  ["map", mapIndex()],
  ["open-addressed", openAddressedIndex()],
  ["open-addressed-wasm", openAddressedWasmIndex()],
])("series that come and go in %s", (_, variant) => {
  test.each([
    ["in the order in which they came", { inOrder: true }],
    ["in any order", { inOrder: false }],
  ])("leave no bytes behind over 20 rounds, going %s", async (_name, order) => {
    await using world = await churn(variant, { ...ROUNDS, ...order });
    const { bytes } = world;
    expect(world.index.nextRef).toBe(400_001);
    expect(Math.max(...bytes.slice(5))).toBeLessThan(1.1 * bytes[4]!);
  });
});

describe("series that come and go in open-addressed", () => {
  test("leave no bytes behind when each round's keys are longer than those before", async () => {
    const keyBytes = (round: number): number => 60 + 4 * round;
    await using world = await churn(openAddressedIndex(), { ...ROUNDS, keyBytes });
    const { bytes } = world;
    // The last round's keys are 80 % longer than the fifth's; if room were kept for each length, all rounds would stay.
    expect(bytes.at(-1)).toBeLessThan(1.8 * bytes[4]!);
  });

  test.each([0.01, 0.2])("cost what those that stay are worth: %d of each round", async (part) => {
    const options = { ...ROUNDS, life: 1, staying: part, seed: 7 };
    await using world = await churn(openAddressedIndex(), options);
    const stayed = world.index.size;
    expect(stayed).toBeGreaterThan(20_000 + 19 * 20_000 * part * 0.9);
    expect(world.index.stats.bytes).toBeLessThan(stayed * KEY_BYTES * 2 + 512 * 1024);
  });

  test("leave runs of probes as short as they were: none overflows, and splits come to an end", async () => {
    const options = { seed: 3, rounds: 60, series: 5000, life: 2 };
    await using world = await churn(openAddressedIndex(), options);
    const { growths, index } = world;
    expect(index.stats.overflowed).toBe(0);
    expect(growths.at(-1)! - growths[29]!).toBeLessThan(20);
  });

  test("give back all but a page and the directory when the last one went", async () => {
    await using world = await churn(openAddressedIndex(), { ...ROUNDS, rounds: 3, life: 5 });
    const { index, bytes } = world;
    expect(bytes.at(-1)).toBeGreaterThan(6_000_000);
    const refs = new Uint32Array(1000);
    for (let first = 1; first < index.nextRef; first += 1000) {
      for (let i = 0; i < 1000; i += 1) refs[i] = first + i;
      index.drop(refs, 1000);
    }
    expect(index.size).toBe(0);
    expect(index.stats.bytes).toBeLessThan(300_000);
  });
});
