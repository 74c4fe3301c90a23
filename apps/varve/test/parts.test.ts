import { stripVTControlCharacters } from "node:util";
import { expect, test, vi } from "vitest";
import { oneLine } from "../src/exit.ts";
import { positive, time } from "../src/input/parse.ts";
import { visible } from "../src/print/format.ts";
import { plot } from "../src/print/plot.ts";
import { bar, Progress } from "../src/print/progress.ts";
import { table } from "../src/print/table.ts";
import { Cardinality } from "../src/store/cardinality.ts";

test("reads times as milliseconds, dates and distances from now", () => {
  expect(time("1700000000000")).toBe(1_700_000_000_000);
  expect(time("-5")).toBe(-5);
  expect(time("2026-01-31")).toBe(Date.UTC(2026, 0, 31));
  expect(time("2026-01-31T08:00:00.5+01:00")).toBe(Date.UTC(2026, 0, 31, 7, 0, 0, 500));
  vi.useFakeTimers({ now: 10_000_000 });
  try {
    expect(time("now")).toBe(10_000_000);
    expect(time("now-2h")).toBe(2_800_000);
  } finally {
    vi.useRealTimers();
  }
  for (const text of [
    "",
    "x",
    "1.5",
    "2026-13-01",
    "2026-01-31T08",
    "now-2y",
    "31.1.2026",
    "9".repeat(20),
  ]) {
    expect(() => time(text), text).toThrow(/milliseconds since 1970/);
  }
});

test("reads counts with their sizes", () => {
  expect(positive("10k")).toBe(10_000);
  for (const text of ["0", "-1", "1.5", "k", "1e3", ""]) {
    expect(() => positive(text), text).toThrow(/whole number/);
  }
});

test("is silent for two seconds, then keeps one line on a terminal and few elsewhere", () => {
  const run = (isTTY: boolean): string[] => {
    const written: string[] = [];
    let now = 0;
    const stream = { isTTY, columns: 20, write: (text: string) => written.push(text) };
    using progress = new Progress(stream, () => now);
    for (; now <= 12_000; now += 10) progress.update(() => `at ${now} of a very long line`);
    return written;
  };
  expect(run(false)).toEqual(["at 2000 of a very long line\n", "at 7000 of a very long line\n", "at 12000 of a very long line\n"]); // prettier-ignore
  const live = run(true);
  expect(live.length).toBe(51 + 1);
  expect(live[0]).toBe("\r\u001b[Kat 2000 of a very l");
  expect(live.at(-1)).toBe("\r\u001b[K"); // And takes it away.
});

test("never asks for a text that nobody sees", () => {
  using progress = new Progress({ write: () => true }, () => 0);
  progress.update(() => expect.unreachable());
});

test("draws a bar that never is longer than the whole", () => {
  expect(bar(1, 2)).toBe(`[${"█".repeat(10)}${" ".repeat(10)}] 50 %`);
  expect(bar(3, 2)).toContain("100 %");
  expect(bar(0, 0)).toContain("100 %");
});

test("plots a rising line from the lower left to the upper right", () => {
  const times = Float64Array.from({ length: 100 }, (_, i) => i);
  const lines = plot([{ times, values: times }], { width: 40, height: 5 }).split("\n");
  expect(lines).toHaveLength(5);
  expect(lines[0]).toMatch(/^ *99 ┤\u2800+[^\u2800]+$/);
  expect(lines[4]).toMatch(/^ *0 ┤[^\u2800]/);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
});

test("plots flat lines, single samples, gaps and extremes, and nothing where there is nothing", () => {
  const size = { width: 30, height: 4 };
  const curve = (...values: number[]) => ({
    times: Float64Array.from(values, (_, i) => i),
    values: Float64Array.from(values),
  });
  expect(plot([curve(7)], size).match(/7 ┤/g)).toHaveLength(1);
  expect(plot([curve(7, 7, 7)], size)).toContain("7 ┤");
  expect(plot([curve(1, Number.NaN, 2)], size)).not.toContain("NaN");
  expect(plot([curve(-Number.MAX_VALUE, Number.MAX_VALUE)], size)).toContain("1.798e+308");
  expect(plot([curve(Number.NaN, Infinity)], size)).toBe("");
  expect(plot([], size)).toBe("");
});

test("keeps what is printed on its line, and away from the terminal's controls", () => {
  expect(oneLine("a\n  b\u001b[31m")).toBe("a b\ufffd[31m");
  expect(visible("a\nb\u001b\u2028")).toBe("a\\u000ab\\u001b\\u2028");
});

test("sets numbers right, and leaves no blanks behind a line", () => {
  const text = table([{ head: "name" }, { head: "count", align: "right" }], [["a", "10"], ["long name", "1,000"]]); // prettier-ignore
  expect(stripVTControlCharacters(text)).toBe(
    "name       count\na             10\nlong name  1,000",
  );
});

test("counts series by metric, label and pair, the largest first, equal ones in the order of their bytes", () => {
  const counts = new Cardinality();
  const times = Float64Array.of(5, 9);
  for (const host of ["\u{10000}", "\ue000", "a"]) {
    counts.add({ __name__: "cpu", host, dc: "x" }, times);
  }
  counts.add({ __name__: "up", dc: "x" }, Float64Array.of(1));
  expect(counts.report(3)).toEqual({
    series: 4,
    samples: 7,
    firstTime: 1,
    lastTime: 9,
    metrics: [{ name: "cpu", count: 3 }, { name: "up", count: 1 }],
    labelValues: [{ name: "host", count: 3 }, { name: "__name__", count: 2 }, { name: "dc", count: 1 }],
    labels: [{ name: "__name__", count: 4 }, { name: "dc", count: 4 }, { name: "host", count: 3 }],
    pairs: [{ name: 'dc="x"', count: 4 }, { name: 'host="a"', count: 1 }, { name: 'host="\ue000"', count: 1 }],
  }); // prettier-ignore
});
