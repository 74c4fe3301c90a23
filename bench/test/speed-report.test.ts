import { describe, expect, test } from "vitest";
import { environmentOf } from "../environment.ts";
import { type IngestFile, type SpeedFile, speedPageOf } from "../figures/speed-page.ts";
import type { Outcome } from "../speed/run.ts";
import { rowsOf, type SpeedRow } from "../speed/rows.ts";
import { FULL } from "../speed/sizes.ts";
import { missedOf, reportOf } from "../speed/table.ts";
import { type Figures, WORK_NAMES, type WorkName } from "../speed/work.ts";
import { WORKS } from "../speed/works.ts";

const REPEATS = 5;

/** Outcomes of a work whose turns all came to the same: `valueOf` says what, by task and figure. */
function outcomesOf(
  work: WorkName,
  valueOf: (task: string, figure: string) => number,
  changes: Partial<Outcome> = {},
): Outcome[] {
  const rows = WORKS[work].rows(FULL);
  const named = rows.flatMap(({ task, figure, against, parts = [] }) => [
    [task, figure] as const,
    ...parts.map((part) => [task, part] as const),
    ...(against === undefined ? [] : [[against.task, against.figure] as const]),
  ]);
  return WORKS[work].tasks(FULL).map((task): Outcome => {
    const own = named.filter(([id]) => id === task.id).map(([, figure]) => figure);
    const figures = Object.fromEntries(own.map((name) => [name, valueOf(task.id, name)]));
    const wanted = task.isPreparation === true ? 1 : (task.turns ?? REPEATS);
    const turns = Array.from({ length: wanted }, (): Figures => figures);
    return { work, task, wanted, turns, failure: null, skipped: null, ...changes };
  });
}

function find(rows: readonly SpeedRow[], what: string): SpeedRow {
  return rows.find((row) => row.what.startsWith(what))!;
}

describe("a row", () => {
  test("of a rate is held against what it must be", () => {
    const rates: Record<string, number> = { labels: 1.3e6, handle: 7e6, batch: 31e6, many: 1 };
    const rows = rowsOf(
      outcomesOf("updates", (task) => rates[task]!),
      FULL,
    );
    const met = rows.map(({ must, aim }) => [must?.isMet, aim?.isMet]);
    expect(met).toEqual([
      [true, false],
      [false, false],
      [true, true],
      [undefined, undefined],
    ]);
    expect(rows[0]).toMatchObject({ value: 1.3e6, unit: "rows/s", status: "ok", ratio: null });
    expect(rows[0]!.values).toHaveLength(REPEATS);
    expect(rows[0]!.durability).toMatch(/not synced/);
    expect(missedOf(rows).map(({ what }) => what)).toEqual(["by prepared labels"]);
  });

  test("of a tail is met below its limit, or near the noise floor", () => {
    const value: Record<string, number> = {
      p99: 9,
      "floor-p99": 1,
      p999: 140,
      "floor-p999": 100,
      max: 30_000,
      "floor-max": 10_000,
    };
    const rows = rowsOf(
      outcomesOf("tails", (_, name) => value[name] ?? 1),
      FULL,
    );
    expect(find(rows, "P99").must?.isMet).toBe(true);
    expect(find(rows, "P99").ratio).toBeCloseTo(9);
    expect(find(rows, "P99.9")).toMatchObject({ must: { isMet: true }, aim: { isMet: true } });
    expect(find(rows, "maximum").must?.isMet).toBe(false);
  });

  test("of times says how many times faster, and is judged by that where it is asked to", () => {
    const seconds: Record<string, number> = { varve: 2, prometheus: 5 };
    const rows = rowsOf(
      outcomesOf("replay", (task) => seconds[task]!),
      FULL,
    );
    expect(find(rows, "30 M samples")).toMatchObject({
      ratio: 2.5,
      value: 2,
      other: 5,
      must: { of: "ratio", isMet: true },
      aim: { isMet: false },
    });
  });

  test("of growth says what multiple of the cost at the fewest series it is", () => {
    const rows = rowsOf(
      outcomesOf("growth", (task) => Math.log10(Number(task))),
      FULL,
    );
    expect(find(rows, "batch update, 1 M")).toMatchObject({ ratio: 1.5, must: { isMet: true } });
    expect(find(rows, "batch update, 4 M").must).toBeNull();
    const steep = rowsOf(
      outcomesOf("growth", (task) => Number(task)),
      FULL,
    );
    expect(find(steep, "single new, 100 K").must?.isMet).toBe(false);
  });

  test("of one long turn has the spread of its parts", () => {
    const outcomes = outcomesOf("sustained", (_, name) =>
      Number(/ratio-(\d)/.exec(name)?.[1] ?? 4),
    );
    const row = find(rowsOf(outcomes, FULL), "P99.9 / median");
    expect(row).toMatchObject({ value: 4, status: "ok", aim: { isMet: true } });
    expect(row.spread).toBeCloseTo(1.4826 / 3);
  });

  test("whose sides come to different bytes has no figure", () => {
    const outcomes = outcomesOf("stages", () => 1);
    const wrong = (id: string, sum: number): void => {
      const outcome = outcomes.find(({ task }) => task.id === id)!;
      outcome.turns.splice(0, 1, { ...outcome.turns[0], "check-crc": sum });
    };
    wrong("crc32c:kernel", 1);
    wrong("crc32c:plain", 2);
    const rows = rowsOf(outcomes, FULL);
    expect(find(rows, "crc32c, 64 bytes")).toMatchObject({
      status: "failed",
      value: null,
      ratio: null,
      reason: "crc32c:kernel and crc32c:plain differ in check-crc: 1 and 2",
    });
    expect(find(rows, "frame, 1 a call").status).toBe("ok");
  });

  test("has no figure when anything failed or is missing, and says when there are too few", () => {
    const failed = rowsOf(
      outcomesOf("memory", () => 1, { failure: "holds 1" }),
      FULL,
    );
    expect(failed[0]).toMatchObject({ status: "failed", value: null, reason: "holds 1" });
    expect(failed[0]!.must?.isMet).toBeNull();
    const skipped = rowsOf(
      outcomesOf("replay", () => 1, { skipped: "none here" }),
      FULL,
    );
    expect(skipped[0]).toMatchObject({ status: "skipped", ratio: null, reason: "none here" });
    const short = rowsOf(
      outcomesOf("memory", () => 1, { wanted: REPEATS + 1 }),
      FULL,
    );
    expect(short[0]).toMatchObject({ status: "interrupted", value: 1 });
    expect(
      rowsOf(
        outcomesOf("memory", () => 1, { turns: [] }),
        FULL,
      )[0]!.value,
    ).toBeNull();
  });
});

test("the report fits its columns, and says plainly what was met and missed", () => {
  const outcomes = WORK_NAMES.flatMap((work) => outcomesOf(work, () => 1234));
  const report = reportOf(rowsOf(outcomes, FULL));
  for (const line of report.split("\n")) expect(line.length, line).toBeLessThanOrEqual(100);
  expect(report).toMatch(/^updates$/m);
  expect(report).toMatch(/^ {2}by label object +1\.23 K\/s .*>= 1\.2 M MISSED +>= 2 M MISSED$/m);
  expect(report).toMatch(/^ {2}P99 +1\.23 ms +1\.23 ms +1x +±0 % +< 10 µs met +< 4 µs met$/m);
  for (const work of WORK_NAMES) expect(report).toMatch(new RegExp(`^${work}: .{30}`, "m"));
});

describe("the page on speed", () => {
  const file = { environment: environmentOf(1), interrupted: false, repeats: REPEATS };
  const ingest: IngestFile = { ...file, rows: [] };
  const pageOf = (rows: SpeedFile["rows"]): string => speedPageOf({ ...file, rows }, ingest);

  test("has every row, and what follows from them", () => {
    const ten = (work: WorkName): Outcome[] => outcomesOf(work, () => 10);
    const rates = outcomesOf("updates", () => 20e6); // 50 ns a row.
    const outcomes = [...rates, ...WORK_NAMES.slice(1).flatMap((work) => ten(work))];
    const page = pageOf(rowsOf(outcomes, FULL));
    expect(page).toContain("Its stages come to 30 ns");
    expect(page).toContain("the difference, 20 ns, is");
    expect(page).toContain("giving it a ref come to 30 ns, of which\nthe key alone is 10 ns");
    expect(page).toContain("At the speed of memory that is 30 ns; a new series costs 0.33 times");
    expect(page).toContain("20 ns if one waits for the other; a batch overlaps them");
    expect(page).toContain("puts 10 B into the log: 1000 MB/s at that rate");
    for (const work of WORK_NAMES) expect(page).toMatch(new RegExp(`^${work}$`, "m"));
  });

  test("says what has not been measured, and makes nothing up", () => {
    const page = pageOf([]);
    expect(page).toContain("An update by batch has not been measured whole.");
    expect(page).toContain("A new series by label object has not been measured whole.");
    expect(page).toContain("They have not been measured.");
    expect(page).not.toMatch(/\d (?:[nµm]s|M\/s|MB\/s|times)/);
  });
});
