import { expect, test } from "vitest";
import { bits, read } from "./helpers.ts";

test("reads a column for each label", async () => {
  const { rows, error } = await read(
    "csv",
    [
      "__name__,host,time,value",
      "cpu,a,1700000000000,1.5",
      'cpu,"b, ""c""',
      'd",2,NaN',
      "cpu,,3,0x7ff0000000000002",
      "",
      "cpu,a,4,-0\r",
    ].join("\n"),
  );
  expect(error).toBeUndefined();
  expect(rows).toEqual([
    { labels: { __name__: "cpu", host: "a" }, time: 1700000000000, bits: bits(1.5), line: 2 },
    { labels: { __name__: "cpu", host: 'b, "c"\nd' }, time: 2, bits: bits(NaN), line: 3 },
    { labels: { __name__: "cpu" }, time: 3, bits: "7ff0000000000002", line: 5 },
    { labels: { __name__: "cpu", host: "a" }, time: 4, bits: bits(-0), line: 7 },
  ]);
  expect(rows[3]!.labels).toBe(rows[0]!.labels);
});

test("reads series as selector text, its columns in any order", async () => {
  const { rows, error } = await read(
    "csv",
    'value,time,series\n1,2,up\n3,4,"cpu{host=""a,\\"" b""}"\n5,6,"{x=""y""}"\n7,8,{}\n',
  );
  expect(error).toBeUndefined();
  expect(rows.map(({ labels }) => labels)).toEqual([
    { __name__: "up" },
    { __name__: "cpu", host: 'a," b' },
    { x: "y" },
    {},
  ]);
});

test("takes a fourth column to mean that series is a label", async () => {
  const { rows } = await read("csv", "series,x,time,value\nfriends,1,2,3\n");
  expect(rows[0]!.labels).toEqual({ series: "friends", x: "1" });
});

test("tells fields apart that look alike when joined", async () => {
  const { rows } = await read("csv", 'a,b,time,value\n"x,",y,1,1\nx,",y",1,1\n"x""",y,1,1\n');
  expect(rows.map(({ labels }) => [labels["a"], labels["b"]])).toEqual([
    ["x,", "y"],
    ["x", ",y"],
    ['x"', "y"],
  ]);
});

const FAULTS: [record: string, column: number, reason: RegExp][] = [
  ["a,1", 1, /expected 3 fields, got 2/],
  ["a,1,2,3", 1, /expected 3 fields, got 4/],
  ["a,1.5,2", 3, /whole milliseconds/],
  ["a,1,two", 5, /expected a value/],
  ["a,1,", 5, /expected a value/],
  ["a,,2", 3, /no time/],
  ['a"b,1,2', 2, /inner one doubled/],
  ['"a"b,1,2', 4, /expected ","/],
];

for (const [record, column, reason] of FAULTS) {
  test(`refuses ${JSON.stringify(record)} at its column`, async () => {
    const { rows, error } = await read("csv", `a,time,value\nx,1,1\n${record}\n`);
    expect(rows).toHaveLength(1);
    expect(error).toMatchObject({ line: 3, column });
    expect(error!.reason).toMatch(reason);
  });
}

test("gives up no more than the line where a quoted field does not end", async () => {
  const text = 'a,time,value\n"x,1,1\ny,2,2\nz,3,3\n';
  const { rows, bad } = await read("csv", text, { skipBad: true });
  expect(bad).toEqual([{ line: 2, column: 1, reason: "a quoted field does not end" }]);
  expect(rows.map(({ labels, line }) => [labels["a"], line])).toEqual([["y", 3], ["z", 4]]); // prettier-ignore
});

test("refuses a header without its columns, also when malformed lines are skipped", async () => {
  for (const [text, reason] of [
    ["", /no header/],
    ["a,b\n1,2\n", /no column "time"/],
    ["a,time\n1,2\n", /no column "value"/],
    ["time,time,value\n", /"time" twice/],
    ["a,a,time,value\n", /label "a" is there twice/],
    [",time,value\n", /name is empty/],
  ] as const) {
    expect((await read("csv", text, { skipBad: true })).error?.reason, text).toMatch(reason);
  }
});
