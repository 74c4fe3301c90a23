import { gzipSync } from "node:zlib";
import { capturePath, readExposition } from "@varve/workload";
import { describe, expect, test } from "vitest";
import { fileWith, inputErrorOf } from "./files.ts";

/** The example of Prometheus' documentation of the format, and the corners that it leaves out. */
const EXAMPLE = `# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9

# A weird metric from before the epoch:
something_weird{problem="division by zero"} +Inf -3982045
\t  spaced   {  a = "b" , c="d",  }\t-.5e1\t \t+7  \t
#comment
# HELP quoted a \\\\ and \\n "b" \\
# HELP empty
bare NaN
{"my.metric","l.x"="v",l_y="é😀"} 0x1.8p+1
{ l="v" , "later.name" } 1.
`.replace('"b" \\\n', '"b"\n');

describe("readExposition", () => {
  test("reads names, labels, escapes, values and times", async () => {
    const got = await readExposition(fileWith(EXAMPLE));
    expect(got.labels).toEqual([
      { __name__: "http_requests_total", method: "post", code: "200" },
      { __name__: "http_requests_total", method: "post", code: "400" },
      {
        __name__: "msdos_file_access_time_seconds",
        path: "C:\\DIR\\FILE.TXT",
        error: 'Cannot find file:\n"FILE.TXT"',
      },
      { __name__: "something_weird", problem: "division by zero" },
      { __name__: "spaced", a: "b", c: "d" },
      { __name__: "bare" },
      { __name__: "my.metric", "l.x": "v", l_y: "é😀" },
      { __name__: "later.name", l: "v" },
    ]);
    const none = Number.NaN;
    const times = [1395066363000, 1395066363000, none, -3982045, 7, none, none, none];
    expect([...got.times]).toEqual(times);
    expect([...got.values]).toEqual([1027, 3, 1458255915, Infinity, -5, Number.NaN, 3, 1]);
  });

  test("reads what HELP and TYPE lines say", async () => {
    const { families } = await readExposition(fileWith(EXAMPLE));
    expect(Object.fromEntries(families)).toEqual({
      http_requests_total: { type: "counter", help: "The total number of HTTP requests." },
      quoted: { type: "untyped", help: 'a \\ and \n "b"' },
      empty: { type: "untyped", help: "" },
    });
  });

  test.each([
    ["1", 1],
    ["-0", -0],
    ["+1.5e-3", 0.0015],
    [".5", 0.5],
    ["5.", 5],
    ["1E6", 1e6],
    ["1e-400", 0],
    ["4.9e-324", 5e-324],
    ["0x10p0", 16],
    ["-0X1.FFFFFFFFFFFFFp1023", -Number.MAX_VALUE],
    ["0x.8p1", 1],
    ["0x1p-1074", 5e-324],
    ["0x1p-5000", 0],
    ["0x20000000000001p0", 2 ** 53],
    ["inf", Infinity],
    ["+Infinity", Infinity],
    ["-INF", -Infinity],
  ])("reads %s as Go does", async (text, value) => {
    const { values } = await readExposition(fileWith(`m ${text}\n`));
    expect(Object.is(values[0], value), `${values[0]}`).toBe(true);
  });

  test("gives NaN the bits that Prometheus gives it", async () => {
    const { values } = await readExposition(fileWith("a 1\nb NaN\nc nan\n"));
    const words = new Uint32Array(values.buffer, values.byteOffset);
    expect([...words.subarray(2)]).toEqual([1, 0x7ff80000, 1, 0x7ff80000]);
  });

  test.each([
    ["m", "the sample has no value"],
    ["m{}", "the sample has no value"],
    ["m one", 'expected a value, got "one"'],
    ["m +NaN", 'expected a value, got "+NaN"'],
    ["m 1e999", 'expected a value, got "1e999"'],
    ["m 1_000", 'expected a value, got "1_000"'],
    ["m 0x10", 'expected a value, got "0x10"'],
    ["m 0xp1", 'expected a value, got "0xp1"'],
    ["m .", 'expected a value, got "."'],
    ["m 1 1.5", 'expected a time in whole milliseconds, got "1.5"'],
    ["m 1 99999999999999999", 'expected a time in whole milliseconds, got "99999999999999999"'],
    ["m 1 2 3", 'expected the end of the line, got "3"'],
    ["1m 1", 'expected a metric\'s name, got "1m 1"'],
    ["{} 1", 'expected a metric\'s name, got "{} 1"'],
    ['{a="b"} 1', 'expected a metric\'s name, got "{a=\\"b\\"} 1"'],
    ['m{"n"} 1', 'label "__name__" is there twice'],
    ['m{a="1",a="2"} 1', 'label "a" is there twice'],
    ['m{a="1" b="2"} 1', 'expected "," or "}", got "b=\\"2\\"} 1"'],
    ["m{a} 1", 'expected "=" after label "a", got "} 1"'],
    ["m{a=1} 1", 'expected label "a"\'s value in quotes, got "1} 1"'],
    ['m{a="1} 1', 'expected label "a"\'s value in quotes, got "\\"1} 1"'],
    ['m{a="\\x"} 1', '"\\\\x" is not an escape'],
    ['m{""="x"} 1', "a name is empty"],
    ['m{a-b="x"} 1', 'expected "=" after label "a", got "-b=\\"x\\"} 1"'],
    ["m{", 'expected a label\'s name, got ""'],
    ["# TYPE m widget", '"widget" is not a metric\'s type'],
    ["# TYPE", "TYPE has no metric's name"],
    ["# HELP m \\t", '"\\\\t" is not an escape'],
  ])("refuses %j and says where", async (line, wrong) => {
    const path = fileWith(`fine 1\n# TYPE fine gauge\n${line}\nfine 2\n`, "metrics.prom");
    const error = await inputErrorOf(readExposition(path));
    expect(error.message).toBe(`${path}:3: ${wrong}`);
    expect(error.facts).toEqual({ path, line: 3 });
  });

  test("unpacks a packed file", async () => {
    const { labels } = await readExposition(fileWith(gzipSync("up 1\n"), "metrics.prom.gz"));
    expect(labels).toEqual([{ __name__: "up" }]);
  });

  test("reads the shipped capture, every sample and family of it", async () => {
    const { labels, values, times, families } = await readExposition(capturePath());
    expect([labels.length, values.length, times.length]).toEqual([507, 507, 507]);
    expect(families.get("node_cpu_seconds_total")).toEqual({
      type: "counter",
      help: "Seconds the CPUs spent in each mode.",
    });
    expect(times.every((time) => Number.isNaN(time))).toBe(true);
    expect(values.some((value) => value > 1e9)).toBe(true);
  });
});
