import { gzipSync, zstdCompressSync } from "node:zlib";
import { readSeriesJson } from "@varve/workload";
import { describe, expect, test } from "vitest";
import { fileWith, inputErrorOf } from "./files.ts";

const TWO = '{"__name__":"up","job":"é😀"}\n\n  {"a":""}\r\n';
const EXPECTED = [{ __name__: "up", job: "é😀" }, { a: "" }];

describe("readSeriesJson", () => {
  test("reads a label set a line, and skips blank lines", async () => {
    expect(await readSeriesJson(fileWith(TWO))).toEqual(EXPECTED);
    expect(await readSeriesJson(fileWith(""))).toEqual([]);
  });

  test("reads a last line that has no end", async () => {
    expect(await readSeriesJson(fileWith('{"a":"b"}\n{"c":"d"}'))).toEqual([
      { a: "b" },
      { c: "d" },
    ]);
  });

  test("unpacks .gz and .zst", async () => {
    expect(await readSeriesJson(fileWith(gzipSync(TWO), "x.json.gz"))).toEqual(EXPECTED);
    expect(await readSeriesJson(fileWith(zstdCompressSync(TWO), "x.json.zst"))).toEqual(EXPECTED);
  });

  test("keeps a label named __proto__ a label", async () => {
    const [labels] = await readSeriesJson(fileWith('{"__proto__":"x"}'));
    expect(Object.entries(labels!)).toEqual([["__proto__", "x"]]);
  });

  test("reads lines that lie across the chunks in which files are read", async () => {
    const lines: string[] = [];
    for (let i = 0; i < 9000; i += 1)
      lines.push(JSON.stringify({ i: `é${i}`.padEnd(i % 200, "😀") }));
    const sets = await readSeriesJson(fileWith(lines.join("\n")));
    expect(sets.map((labels) => JSON.stringify(labels))).toEqual(lines);
  });

  test.each([
    ["{", "not a JSON label set: "],
    ['{"a":"b"} x', "not a JSON label set: "],
    ["[]", 'a label set is a JSON object, got "[]"'],
    ["null", 'a label set is a JSON object, got "null"'],
    ['"a"', 'a label set is a JSON object, got "\\"a\\""'],
    ['{"a":1}', 'the value of label "a" is a string, got "1"'],
    ['{"a":{"b":"c"}}', 'the value of label "a" is a string, got "{\\"b\\":\\"c\\"}"'],
  ])("refuses %j and says where", async (line, wrong) => {
    const path = fileWith(`{"fine":"x"}\n\n${line}\n{"fine":"y"}\n`);
    const error = await inputErrorOf(readSeriesJson(path));
    expect(error.message.startsWith(`${path}:3: ${wrong}`), error.message).toBe(true);
    expect(error.facts).toEqual({ path, line: 3 });
  });

  test("refuses bytes that are not UTF-8, and says where", async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"a":"b"}\n{"c":"'),
      Buffer.of(0xff),
      Buffer.from('"}\n'),
    ]);
    const path = fileWith(bytes);
    const error = await inputErrorOf(readSeriesJson(path));
    expect(error.message).toBe(`${path}:2: the line is not valid UTF-8`);
  });

  test("refuses a line without end instead of loading it", async () => {
    const path = fileWith(`{"a":"b"}\n${" ".repeat(5 * 1024 * 1024)}`);
    const error = await inputErrorOf(readSeriesJson(path));
    expect(error.message).toBe(`${path}:2: the line is longer than 4194304 bytes`);
  });

  test("says which file cannot be read, or is not what its name says", async () => {
    const missing = await inputErrorOf(readSeriesJson("/nowhere/at/all"));
    expect(missing.message).toContain("/nowhere/at/all: cannot be read: ENOENT");
    const path = fileWith("{}", "x.gz");
    expect((await inputErrorOf(readSeriesJson(path))).message).toContain(
      `${path}: cannot be read: `,
    );
  });
});
