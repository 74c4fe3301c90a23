import { randomWalk } from "@varve/workload";
import { describe, expect, test } from "vitest";

describe("randomWalk", () => {
  test("stays on integers from 0 to 100", () => {
    const walk = randomWalk({ seed: 1, series: 200 });
    const values = new Float64Array(200);
    for (let scrape = 0; scrape < 500; scrape += 1) {
      walk.next(values);
      expect(values.every((value) => Number.isInteger(value) && value >= 0 && value <= 100)).toBe(
        true,
      );
    }
  });

  test("moves by steps drawn from N(0, 1)", () => {
    const walk = randomWalk({ seed: 5, series: 1000 });
    let last = new Float64Array(1000);
    let now = new Float64Array(1000);
    walk.next(last);
    let [sum, squares, count] = [0, 0, 0];
    for (let scrape = 0; scrape < 50; scrape += 1) {
      walk.next(now);
      for (let i = 0; i < 1000; i += 1) {
        if (last[i]! < 10 || last[i]! > 90) continue; // Far from where walks are clamped.
        const step = now[i]! - last[i]!;
        sum += step;
        squares += step * step;
        count += 1;
      }
      [last, now] = [now, last];
    }
    // Rounding down both ends adds 1/6 to the variance.
    expect(Math.abs(sum / count)).toBeLessThan(0.03);
    expect(Math.abs(squares / count - (1 + 1 / 6))).toBeLessThan(0.04);
  });

  test("starts anywhere in the range", () => {
    const values = new Float64Array(5000);
    randomWalk({ seed: 9, series: 5000 }).next(values);
    const tenths = new Uint32Array(10);
    for (const value of values) tenths[Math.min(9, Math.floor(value / 10))]! += 1;
    expect(Math.min(...tenths)).toBeGreaterThan(400);
    expect(Math.max(...tenths)).toBeLessThan(600);
  });

  test("can be had again from its seed", () => {
    const make = (seed: number): Float64Array => {
      const walk = randomWalk({ seed, series: 50 });
      const values = new Float64Array(150);
      for (let at = 0; at < 150; at += 50) walk.next(values, at);
      return values;
    };
    expect(make(2)).toEqual(make(2));
    expect(make(2)).not.toEqual(make(3));
    expect(make(2)).not.toEqual(make(2 + 2 ** 32));
  });

  test("refuses an array that is too short", () => {
    const walk = randomWalk({ seed: 1, series: 4 });
    expect(() => walk.next(new Float64Array(4), 1)).toThrow("4 values fit behind 1");
  });
});
