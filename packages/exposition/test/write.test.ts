import { keyOf } from "@varve/bytes";
import { expect, test } from "vitest";
import { SAMPLE_FORMATS, type SeriesSamples } from "../src/index.ts";
import { bits, bitsOf, read, valuesOf, write } from "./helpers.ts";
import { fc, test as property } from "./property.ts";

const STALE = "7ff0000000000002";
const SERIES: SeriesSamples[] = [
  {
    labels: { __name__: "up", job: 'a"\\\n', e: "" },
    times: Float64Array.of(-1, 1_700_000_000_500),
    values: valuesOf(STALE, bits(0.1)),
  },
  { labels: { "l.x": "v", __name__: "my.metric" }, times: Float64Array.of(2000), values: Float64Array.of(-0) }, // prettier-ignore
];

test("writes each format as its page says", async () => {
  expect(await write("prometheus", SERIES)).toBe(
    'up{job="a\\"\\\\\\n"} NaN -1\nup{job="a\\"\\\\\\n"} 0.1 1700000000500\n{"my.metric","l.x"="v"} -0 2000\n',
  );
  expect(await write("openmetrics", SERIES)).toBe(
    'up{job="a\\"\\\\\\n"} NaN -0.001\nup{job="a\\"\\\\\\n"} 0.1 1700000000.5\n{"my.metric","l.x"="v"} -0 2\n# EOF\n',
  );
  expect(await write("csv", SERIES)).toBe(
    'series,time,value\n"up{job=""a\\""\\\\\\n""}",-1,0x7ff0000000000002\n"up{job=""a\\""\\\\\\n""}",1700000000500,0.1\n"{""my.metric"",""l.x""=""v""}",2000,-0\n',
  );
  expect(await write("jsonl", SERIES)).toBe(
    '{"labels":{"__name__":"up","job":"a\\"\\\\\\n"},"time":-1,"value":"0x7ff0000000000002"}\n' +
      '{"labels":{"__name__":"up","job":"a\\"\\\\\\n"},"time":1700000000500,"value":0.1}\n' +
      '{"labels":{"__name__":"my.metric","l.x":"v"},"time":2000,"value":-0}\n',
  );
});

test("refuses a series without a name in the text formats only", async () => {
  const nameless = [{ labels: { a: "b" }, times: Float64Array.of(1), values: Float64Array.of(1) }];
  await expect(write("prometheus", nameless)).rejects.toMatchObject({ code: "INPUT" });
  await expect(write("openmetrics", nameless)).rejects.toMatchObject({ code: "INPUT" });
  expect(await write("csv", nameless)).toContain('"{a=""b""}",1,1');
});

test("writes nothing as input that reads as nothing", async () => {
  for (const format of SAMPLE_FORMATS) {
    const { rows, error } = await read(format, await write(format, []));
    expect({ rows, error }, format).toEqual({ rows: [], error: undefined });
  }
});

const text = fc
  .string({ unit: "binary", maxLength: 8 })
  .filter((each) => !/\p{Surrogate}/u.test(each));
const name = text.filter((each) => each !== "");
const labelSets = fc
  .dictionary(name, text, { maxKeys: 5 })
  .map((labels) => Object.fromEntries(Object.entries(labels)));
const samples = fc.array(
  fc.tuple(fc.maxSafeInteger(), fc.bigInt(0n, 2n ** 64n - 1n).map(hex)),
  { maxLength: 4 }, // prettier-ignore
);

for (const format of SAMPLE_FORMATS) {
  const keepsBits = format === "csv" || format === "jsonl";
  property(
    `${format}: any labels and values read back ${keepsBits ? "bit for bit" : "but for NaN's bits"}`,
    [fc.array(fc.tuple(labelSets, samples), { maxLength: 3 }), fc.integer({ min: 1, max: 50 })],
    async (drawn, piece) => {
      const series = drawn.map(([labels, rows]) => ({
        labels: keepsBits ? labels : { ...labels, __name__: labels["__name__"] || "m" },
        times: Float64Array.from(rows, ([time]) => time),
        values: valuesOf(...rows.map(([, word]) => word)),
      }));
      const { rows, error } = await read(format, await write(format, series), { pieces: [piece] });
      expect(error).toBeUndefined();
      const wanted = series.flatMap(({ labels, times, values }) =>
        Array.from(times, (time, i) => ({
          key: hexKey(labels),
          time: time + 0,
          bits: keepsBits || !Number.isNaN(values[i]) ? bitsOf(values, i) : bits(NaN),
        })),
      );
      expect(
        rows.map((row) => ({ key: hexKey(row.labels), time: row.time, bits: row.bits })),
      ).toEqual(wanted);
    },
    200,
  );
}

function hex(word: bigint): string {
  return word.toString(16).padStart(16, "0");
}

function hexKey(labels: Readonly<Record<string, string>>): string {
  return Buffer.from(keyOf(labels)).toString("hex");
}
