import { describe, expect, test } from "vitest";
import { judgeCriteria, judgePredictions, judgeTargets, rank } from "../src/seed/analysis.ts";
import type { SuspectResult } from "../src/seed/report.ts";
import { reproduction } from "./seed-fixture.ts";

const SLOW = { newPerSecond: 20_000, updatePerSecond: 150_000, p99Us: 90, floorP99Us: 2 };
const FAST = { newPerSecond: 300_000, updatePerSecond: 900_000, p99Us: 8, floorP99Us: 2 };

describe("criteria", () => {
  test("are met by the best composition's figure, and told for the baseline as well", () => {
    const criteria = judgeCriteria(reproduction(SLOW), reproduction(FAST));
    expect(criteria.map(({ id, met, metByBaseline }) => [id, met, metByBaseline])).toEqual([
      ["new-50k", true, false],
      ["new-100k", true, false],
      ["update-200k", true, false],
      ["update-300k", true, false],
      ["p99-20us", true, false],
      ["p99-10us", true, false],
    ]);
  });

  test("are not met by a figure below their limit", () => {
    const best = reproduction({ ...FAST, newPerSecond: 99_999, p99Us: 19 });
    const met = judgeCriteria(reproduction(SLOW), best).map((each) => each.met);
    expect(met).toEqual([true, false, true, true, true, false]);
  });

  test("let a tail within 1.5x of the noise floor pass, and say so", () => {
    const best = reproduction({ ...FAST, p99Us: 29, floorP99Us: 20 });
    const target = judgeTargets(reproduction(SLOW), best).find(({ id }) => id === "best-p99")!;
    expect(target.met).toBe(true);
    expect(target.note).toContain("within 1.5x of the floor");
    const above = reproduction({ ...FAST, p99Us: 31, floorP99Us: 20 });
    expect(judgeTargets(reproduction(SLOW), above).find(({ id }) => id === "best-p99")!.met).toBe(
      false,
    );
  });

  test("do not claim a tail below the noise floor", () => {
    const best = reproduction({ ...FAST, p99Us: 5, floorP99Us: 6 });
    const target = judgeTargets(reproduction(SLOW), best).find(({ id }) => id === "best-p99")!;
    expect(target.note).toContain("not claimed");
  });

  test("hold the best composition's updates against the baseline's", () => {
    const best = reproduction({ ...FAST, updatePerSecond: 149_999 });
    const results = judgeTargets(reproduction(SLOW), best);
    expect(results.find(({ id }) => id === "best-update-not-below")!.met).toBe(false);
  });

  test("name the durability of every figure", () => {
    for (const { level } of judgeTargets(reproduction(SLOW), reproduction(FAST))) {
      expect(level).toMatch(/durable|accepted|written/);
    }
  });
});

describe("predictions", () => {
  test("are confirmed inside their range and refuted outside", () => {
    const shares: Record<string, number> = {
      "series-id-and-index": 50,
      wal: 19.9,
      allocation: 20,
      locks: 5.1,
      "block-manager": 80,
    };
    const results = judgePredictions(({ id }) => shares[id]!);
    expect(results.map(({ confirmed }) => confirmed)).toEqual([true, false, true, false, false]);
  });
});

describe("rank", () => {
  test("counts from the suspect whose swap gains most for new series", () => {
    const suspect = (id: string, ratio: number): SuspectResult =>
      ({ id, new: { ratio } }) as unknown as SuspectResult;
    const ranked = rank([suspect("a", 1.1), suspect("b", 9), suspect("c", 0.9)]);
    expect(ranked.map(({ id, rank: place }) => [id, place])).toEqual([
      ["b", 1],
      ["a", 2],
      ["c", 3],
    ]);
  });
});
