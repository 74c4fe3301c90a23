import { reserveMemory } from "@varve/bytes";
import { expect, test } from "vitest";
import { Prefault } from "../src/prefault.ts";

const MIB = 2 ** 20;

/** A memory that tells how far it was asked to be resident, and takes its time for what is new. */
function slowMemory(askMs: number) {
  const asked: number[] = [];
  const memory = reserveMemory({ bytesMax: 65_536 });
  memory.prefault = (bytes) => {
    if (bytes <= Math.max(0, ...asked)) return;
    asked.push(bytes);
    const until = performance.now() + askMs;
    while (performance.now() < until);
  };
  return { memory, asked };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits until memory was asked to be resident so far. */
async function until(asked: readonly number[], bytes: number): Promise<void> {
  for (let i = 0; i < 1000 && asked.at(-1) !== bytes; i += 1) await turn();
  expect(asked.at(-1)).toBe(bytes);
}

test("touches memory in pieces, and gives the event loop its turn between them", async () => {
  const { memory, asked } = slowMemory(3);
  const prefault = new Prefault(memory, MIB);
  prefault.begin();
  expect(asked).toHaveLength(1); // It took longer than a turn may.
  prefault.begin();
  expect(asked).toHaveLength(1);
  await until(asked, MIB);
});

test("reaches as far as it was told and not beyond, also where steps do not fit", async () => {
  const { memory, asked } = slowMemory(0);
  new Prefault(memory, 300_000).begin();
  await until(asked, 300_000);
  await turn();
  expect(Math.max(...asked)).toBe(300_000);
  const { memory: other, asked: none } = slowMemory(0);
  new Prefault(other, 0).begin();
  expect(none).toEqual([]);
});

test("touches nothing once it was stopped", async () => {
  const { memory, asked } = slowMemory(3);
  const prefault = new Prefault(memory, MIB);
  prefault.begin();
  prefault.stop();
  await turn();
  await turn();
  expect(asked).toHaveLength(1);
});
