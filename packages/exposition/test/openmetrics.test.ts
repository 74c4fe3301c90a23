import { expect, test } from "vitest";
import { bits, read } from "./helpers.ts";

test("reads seconds as milliseconds, and leaves exemplars out", async () => {
  const { rows, counts, error } = await read(
    "openmetrics",
    [
      '# HELP acme_seconds What it \\"does\\"',
      "# TYPE acme_seconds counter",
      "# UNIT acme_seconds seconds",
      'acme_seconds_total{a="b"} 17 1520879607.789 # {trace_id="x y"} 0.5 1520879607.7',
      'acme_seconds_total{a="c"} 1 # {} 2',
      "acme_seconds_created 1.5e9 1e3",
      "# TYPE other unknown",
      "other -Inf -0.0019",
      "# EOF",
    ].join("\n"),
    { defaultTime: 3 },
  );
  expect(error).toBeUndefined();
  expect(counts).toMatchObject({ lines: 9, samples: 4, exemplars: 2, bad: 0 });
  expect(rows.map(({ time }) => time)).toEqual([1520879607789, 3, 1_000_000, -1]);
  expect(rows[0]!.labels).toEqual({ __name__: "acme_seconds_total", a: "b" });
  expect(rows[3]!.bits).toBe(bits(-Infinity));
});

test("cuts times to milliseconds by their digits, not by doubles", async () => {
  const times = {
    "1.001": 1001,
    "0.0019": 1,
    "4.35": 4350,
    "1.7e9": 17e11,
    "-1.5": -1500,
    "8.": 8000,
    "1.005e0": 1005,
  };
  for (const [text, time] of Object.entries(times)) {
    const { rows } = await read("openmetrics", `a 1 ${text}\n# EOF\n`);
    expect(rows[0]?.time, text).toBe(time);
  }
});

const FAULTS: [line: string, column: number, reason: RegExp][] = [
  ["", 1, /no empty lines/],
  ["a  1", 3, /no value/],
  ["a\t1", 2, /one space/],
  ["a 1 ", 5, /expected a time/],
  ["a 1 1  # {} 1", 6, /exemplar/],
  ["a 1 NaN", 5, /time in seconds, got "NaN"/],
  ["a 1 Inf", 5, /time in seconds/],
  ["a 1 1e99", 5, /time in seconds/],
  ["a 1 1 # {", 10, /expected a label's name/],
  ["a 1 1 # {} x", 12, /exemplar's value/],
  ["a 1 1 # {} 1 x", 14, /time in seconds/],
  ["a 1 1 # {} 1 1 1", 15, /end of the line/],
  ["a 1 1 #{} 1", 6, /exemplar/],
  ['a{b="c", d="e"} 1', 9, /label's name/],
  ['a{b="c",} 1', 9, /label's name/],
  ["# comment", 1, /expected "# HELP"/],
  ["#EOF", 1, /expected "# HELP"/],
  ["# TYPE a untyped", 1, /not a metric's type/],
  ["# UNIT a seconds", 1, /not how "a" ends/],
  ["# TYPE  a gauge", 1, /names no metric/],
];

for (const [line, column, reason] of FAULTS) {
  test(`refuses ${JSON.stringify(line)} at its column`, async () => {
    const { error } = await read("openmetrics", `ok 1 1\n${line}\n# EOF\n`, { defaultTime: 0 });
    expect(error).toMatchObject({ line: 2, column });
    expect(error!.reason).toMatch(reason);
  });
}

test("refuses a second TYPE of a metric, and one behind its samples", async () => {
  const twice = await read("openmetrics", "# TYPE a gauge\n# TYPE a gauge\n# EOF\n");
  expect(twice.error).toMatchObject({ line: 2, reason: /second TYPE/ });
  const late = await read("openmetrics", "# HELP a x\na 1 1\n# TYPE a gauge\n# EOF\n");
  expect(late.error).toMatchObject({ line: 3, reason: /after its samples/ });
});

test("refuses input that is cut off, after the rows it has", async () => {
  const { rows, error } = await read("openmetrics", "a 1 1\n");
  expect(rows).toHaveLength(1);
  expect(error).toMatchObject({ line: 2, column: 1, reason: /cut off/ });
  expect((await read("openmetrics", "")).error).toMatchObject({ line: 1, reason: /cut off/ });
  const counted = await read("openmetrics", "a 1 1\n", { skipBad: true });
  expect(counted).toMatchObject({ error: undefined, counts: { bad: 1, samples: 1 } });
});

test("refuses what follows the end", async () => {
  const { error } = await read("openmetrics", "# EOF\na 1 1\n");
  expect(error).toMatchObject({ line: 2, column: 1, reason: /nothing may follow/ });
});
