import { expect, test } from "vitest";
import { interleave } from "../src/cell/order.ts";

test("runs every cell once before any runs again", () => {
  const turns = interleave(5, 4, 1);
  for (let repeat = 0; repeat < 4; repeat += 1) {
    const sweep = turns.slice(5 * repeat, 5 * repeat + 5);
    expect(sweep.map((turn) => turn.repeat)).toEqual(Array(5).fill(repeat));
    expect(new Set(sweep.map((turn) => turn.cell))).toEqual(new Set([0, 1, 2, 3, 4]));
  }
});

test("orders the sweeps differently, and the same for the same seed", () => {
  const orders = Array.from({ length: 6 }, (_, repeat) =>
    interleave(5, 6, 1)
      .slice(5 * repeat, 5 * repeat + 5)
      .map((turn) => turn.cell)
      .join(),
  );
  expect(new Set(orders).size).toBeGreaterThan(3);
  expect(interleave(5, 6, 1)).toEqual(interleave(5, 6, 1));
  expect(interleave(5, 6, 1)).not.toEqual(interleave(5, 6, 2));
});
