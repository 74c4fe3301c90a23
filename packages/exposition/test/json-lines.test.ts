import { expect, test } from "vitest";
import { bits, read } from "./helpers.ts";

test("reads members in any order, and every spelling of a value", async () => {
  const { rows, error } = await read(
    "jsonl",
    [
      '{"labels":{"__name__":"up","job":"a"},"time":1700000000000,"value":1.5}',
      ' { "value" : "NaN" , "time" : -1 , "labels" : { "__name__" : "up" } } \r',
      '{"labels":{"x":"}\\"\\u00e9\\ud83d\\ude00"},"time":2,"value":"+Inf"}',
      '{"labels":{"__proto__":"p","e":""},"time":3,"value":"0x7ff0000000000002"}',
      "",
      '{"labels":{},"time":4,"value":-0}',
      '{"labels":{},"time":5,"value":"-Inf"}',
    ].join("\n"),
  );
  expect(error).toBeUndefined();
  expect(rows.map(({ time, bits: value }) => [time, value])).toEqual([
    [1700000000000, bits(1.5)],
    [-1, bits(NaN)],
    [2, bits(Infinity)],
    [3, "7ff0000000000002"],
    [4, bits(-0)],
    [5, bits(-Infinity)],
  ]);
  expect(rows[2]!.labels).toEqual({ x: '}"é😀' });
  expect(Object.entries(rows[3]!.labels)).toEqual([["__proto__", "p"]]);
  expect(rows[5]!.labels).toBe(rows[4]!.labels);
});

const FAULTS: [line: string, column: number, reason: RegExp][] = [
  ["[]", 1, /expected "\{"/],
  ["{}", 2, /expected "labels", "time" or "value"/],
  ['{"labels":{},"value":1}', 1, /no time/],
  ['{"labels":{},"time":1}', 1, /no "value"/],
  ['{"time":1,"value":1}', 1, /no "labels"/],
  ['{"labels":{},"time":1,"value":1', 32, /expected "," or "}", got the end/],
  ['{"labels":{},"time":1,"value":1}x', 33, /end of the line/],
  ['{"labels":{},"time":1.5,"value":1}', 21, /whole milliseconds/],
  ['{"labels":{},"time":"1","value":1}', 21, /whole milliseconds/],
  ['{"labels":{},"time":01,"value":1}', 21, /whole milliseconds/],
  ['{"labels":{},"time":1,"value":null}', 31, /expected a number/],
  ['{"labels":{},"time":1,"value":NaN}', 31, /expected a number/],
  ['{"labels":{},"time":1,"value":+1}', 31, /expected a number/],
  ['{"labels":{},"time":1,"value":1.}', 31, /expected a number/],
  ['{"labels":{},"time":1,"value":"x"}', 31, /expected a number/],
  ['{"labels":{},"time":1,"value":"1', 31, /string does not end/],
  ['{"labels":{},"time":1,"time":1,"value":1}', 23, /twice/],
  ['{"labels":{"a":1},"time":1,"value":1}', 16, /label "a"'s value, a string/],
  ['{"labels":{"a":"b","a":"c"},"time":1,"value":1}', 20, /label "a" is there twice/],
  ['{"labels":{"a":"\\ud800"},"time":1,"value":1}', 16, /a string/],
  ['{"labels":{"a":"b",},"time":1,"value":1}', 20, /label's name/],
  ['{"labels":{"":"b"},"time":1,"value":1}', 12, /name is empty/],
  ['{"labels":{"a":{"b":"c"}},"time":1,"value":1}', 16, /a string/],
  ['{"labels":{"a":"b"', 11, /does not end/],
  ['{"labels":[],"time":1,"value":1}', 11, /object of labels/],
  ['{"labels" 1}', 11, /expected ":"/],
  ['{"extra":1,"labels":{},"time":1,"value":1}', 2, /expected "labels"/],
];

for (const [line, column, reason] of FAULTS) {
  test(`refuses ${line} at its column`, async () => {
    const { error } = await read("jsonl", `{"labels":{},"time":1,"value":1}\n${line}\n`);
    expect(error).toMatchObject({ line: 2, column });
    expect(error!.reason).toMatch(reason);
  });
}
