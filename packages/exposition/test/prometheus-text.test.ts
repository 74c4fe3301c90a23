import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bits, read } from "./helpers.ts";

test("reads names, labels, values and times", async () => {
  const { rows, error } = await read(
    "prometheus",
    [
      "# HELP up Is it up? \\\\ \\n",
      "# TYPE up gauge",
      "# any comment",
      "",
      "up 1 1700000000000",
      'up{job="a",instance="b:9090"} 0 -5',
      'up { job = "a" , } NaN +7',
      "  \tup\t2  8  ",
      'x{v="a\\"b\\\\c\\nd } é 😀"} +Inf 9',
      '{"my.metric","l.x"="v",b=""} 0x1p4 10',
    ].join("\n"),
  );
  expect(error).toBeUndefined();
  expect(rows).toEqual([
    { labels: { __name__: "up" }, time: 1700000000000, bits: bits(1), line: 5 },
    { labels: { __name__: "up", job: "a", instance: "b:9090" }, time: -5, bits: bits(0), line: 6 },
    { labels: { __name__: "up", job: "a" }, time: 7, bits: bits(NaN), line: 7 },
    { labels: { __name__: "up" }, time: 8, bits: bits(2), line: 8 },
    { labels: { __name__: "x", v: 'a"b\\c\nd } é 😀' }, time: 9, bits: bits(Infinity), line: 9 },
    { labels: { __name__: "my.metric", "l.x": "v" }, time: 10, bits: bits(16), line: 10 },
  ]);
});

test("gives samples without a time the default one", async () => {
  const { rows } = await read("prometheus", "up 1\n", { defaultTime: 42 });
  expect(rows[0]!.time).toBe(42);
});

test("hands out one label object for lines of one series", async () => {
  const text = 'a{x="1"} 1 1\nb 1 1\na{x="1"} 2 2\nb 2 2\n';
  const { rows } = await read("prometheus", text);
  expect(rows[2]!.labels).toBe(rows[0]!.labels);
  expect(rows[3]!.labels).toBe(rows[1]!.labels);
});

const FAULTS: [line: string, column: number, reason: RegExp][] = [
  ["up", 3, /no value/],
  ["up 1", 5, /no time/],
  ["up x 1", 4, /expected a value, got "x"/],
  ["up 1 1.5", 6, /whole milliseconds, got "1.5"/],
  ["up 1 9007199254740992", 6, /whole milliseconds/],
  ["up 1 1 1", 8, /expected the end of the line/],
  ["up 1 1\r", 6, /whole milliseconds/],
  ["1up 1 1", 1, /metric's name/],
  ['{a="b"} 1 1', 1, /no metric's name/],
  ['up{a="b" 1 1', 10, /expected "," or "}"/],
  ["up{a=b} 1 1", 6, /value in quotes/],
  ['up{a="b} 1 1', 6, /value in quotes/],
  ['up{a="é",a="c"} 1 1', 11, /label "a" is there twice/],
  ['up{"x"="1","y"} 1 1', 12, /"__name__" is there twice/],
  ['up{a="\\x"} 1 1', 6, /is not an escape/],
  ['up{,a="b"} 1 1', 4, /label's name/],
  ['up{""="b"} 1 1', 4, /name is empty/],
  ['up{a-b="c"} 1 1', 5, /expected "="/],
  ["# TYPE up gouge", 1, /not a metric's type/],
  ["# HELP", 1, /names no metric/],
  ["# HELP up \\x", 1, /no escape/],
];

for (const [line, column, reason] of FAULTS) {
  test(`refuses ${JSON.stringify(line)} at its column`, async () => {
    const { rows, error } = await read("prometheus", `ok 1 1\n${line}\nok 2 2\n`);
    expect(rows).toHaveLength(1);
    expect(error).toMatchObject({ line: 2, column });
    expect(error!.reason).toMatch(reason);
  });
}

test("refuses bytes that are not UTF-8", async () => {
  const input = Buffer.concat([Buffer.from('up{a="'), Buffer.of(0xff), Buffer.from('"} 1 1\n')]);
  expect((await read("prometheus", input)).error).toMatchObject({ line: 1, reason: /UTF-8/ });
});

test("reads a real capture of node_exporter whole", async () => {
  const path = new URL("../../workload/data/node-exporter.prom", import.meta.url);
  const text = readFileSync(path, "utf8");
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const { rows, error } = await read("prometheus", text, { defaultTime: 0 });
  expect(error).toBeUndefined();
  expect(rows).toHaveLength(samples.length);
  rows.forEach(({ bits: read, labels }, i) => {
    expect(samples[i]!.startsWith(labels["__name__"]!)).toBe(true);
    expect(read).toBe(bits(Number(samples[i]!.split(" ").at(-1)!.replace("Inf", "Infinity"))));
  });
});
