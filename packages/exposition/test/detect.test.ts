import { expect, test } from "vitest";
import { detectFormat, SAMPLE_FORMATS } from "../src/index.ts";
import { write } from "./helpers.ts";

const of = (text: string, name?: string, last?: string) =>
  detectFormat(Buffer.from(text), name, Buffer.from(last ?? ""));

test("believes a name's ending, packed or not", () => {
  expect(of("", "a.prom")).toBe("prometheus");
  expect(of("", "dir.csv/a.om.gz")).toBe("openmetrics");
  expect(of("", "A.CSV")).toBe("csv");
  expect(of("", "a.jsonl.zst")).toBe("jsonl");
  expect(of("", "a.ndjson")).toBe("jsonl");
});

test("looks at the content where the name says nothing", () => {
  expect(of("# HELP a b\na 1 1\n", "a.txt")).toBe("prometheus");
  expect(of('a{b="c"} 1')).toBe("prometheus");
  expect(of('{"my.metric","a"="b"} 1\n')).toBe("prometheus");
  expect(of("a 1 1\n# EOF\n")).toBe("openmetrics");
  expect(of("a 1 1.5\n")).toBe("openmetrics");
  expect(of("# TYPE a unknown\na 1\n")).toBe("openmetrics");
  expect(of("a 1 1\n", "", "z 1 1\n# EOF\n")).toBe("openmetrics");
  expect(of('\ufeff{ "time": 1')).toBe("jsonl");
  expect(of('host,"time",value\r\n')).toBe("csv");
});

test("says nothing where nothing is to be seen", () => {
  for (const text of ["", "\n\n", "hello", "<html>", "a,b\n1,2\n", "{", "PK\u0003\u0004"]) {
    expect(of(text, "constructor.toString"), text).toBeUndefined();
  }
});

test("recognises what is written", async () => {
  const series = [
    { labels: { __name__: "a" }, times: Float64Array.of(1), values: Float64Array.of(1) },
  ];
  for (const format of SAMPLE_FORMATS) {
    expect(of(await write(format, series))).toBe(format);
  }
});
