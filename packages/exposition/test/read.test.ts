import { makeRandom, type Random } from "@varve/bytes";
import { expect, test } from "vitest";
import { readSamples, SAMPLE_FORMATS, type SampleFormat } from "../src/index.ts";
import { read } from "./helpers.ts";

const SOUND: Readonly<Record<SampleFormat, string>> = {
  prometheus: '# TYPE a gauge\na{b="c\\"}é"} 1 1\na 2.5e3 2\n{"x.y"} NaN 3\n',
  openmetrics: '# TYPE a gauge\na{b="c}é"} 1 1.5 # {t="u"} 1\na 2 2\n# EOF\n',
  csv: 'a,time,value\n"b ""c, d""",1,2\r\nx,2,0x7ff0000000000002\n"y\nz",3,4\n',
  jsonl: '{"labels":{"a":"}\\"é"},"time":1,"value":2}\n\n{"value":"NaN","labels":{},"time":2}\n',
};

const BROKEN: Readonly<Record<SampleFormat, string>> = {
  prometheus: `${SOUND.prometheus}up\n\n${"x".repeat(100)} 1 1\nup 1 1\na{ 1 1\nlast 1 1`,
  openmetrics: `a 1 1\n\n${"x".repeat(100)} 1 1\nb 1 1\n# EOF`,
  csv: `${SOUND.csv}x,1\n"open,1,1\nx,1,1\n"a\nb"x,1,1\n${'"long\n'.repeat(20)}",1,1\nx,1,1\n"end\n2,`,
  jsonl: `${SOUND.jsonl}{}\n{"labels":{"x":"${"x".repeat(100)}"},"time":1,"value":1}\n[]\n{`,
};

for (const format of SAMPLE_FORMATS) {
  test(`${format}: how the input is cut changes nothing, sound or not`, async () => {
    const options = { skipBad: true, lineBytesMax: 80 };
    for (const text of [SOUND[format], BROKEN[format], `\ufeff${SOUND[format]}`]) {
      const whole = await read(format, text, options);
      expect(whole.error).toBeUndefined();
      expect(whole.bad.length > 0).toBe(text === BROKEN[format]);
      for (const pieces of [[1], [2], [3, 1, 7], [64], [5, 200]]) {
        expect(await read(format, text, { ...options, pieces }), String(pieces)).toEqual(whole);
      }
    }
  });

  test(`${format}: damaged input ends in rows, counted lines or INPUT, and nothing else`, async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = makeRandom(seed);
    for (let round = 0; round < 600; round += 1) {
      const bytes = Buffer.from(SOUND[format].repeat(1 + random.below(2)));
      for (let change = random.below(6); change >= 0; change -= 1) damage(bytes, random);
      const cut = bytes.subarray(0, random.chance(0.3) ? random.below(bytes.length) : bytes.length);
      const options = { skipBad: random.chance(0.5), defaultTime: 0, lineBytesMax: 60 };
      const whole = await read(format, cut, options).catch((error: unknown) => {
        throw new Error(`seed ${seed}, round ${round}: ${JSON.stringify(cut.toString("latin1"))}`, {
          cause: error,
        });
      });
      const cutUp = await read(format, cut, { ...options, pieces: [1 + random.below(9)] });
      // A reading that ends early may end before it has seen all pieces.
      const taken = whole.error === undefined ? whole.counts.bytes : cutUp.counts.bytes;
      const wanted = { ...whole, counts: { ...whole.counts, bytes: taken } };
      expect(cutUp, `seed ${seed}, round ${round}`).toEqual(wanted);
    }
  });
}

/** Bytes that mean something to a format are likelier. */
const TELLING = Buffer.from('"{}\\,=#\n\r :.eE+-0\x00\xff', "latin1");

function damage(bytes: Uint8Array, random: Random): void {
  const at = random.below(bytes.length);
  bytes[at] = random.below(4) === 0 ? random.below(256) : TELLING[random.below(TELLING.length)]!;
}

test("hands out what comes before a malformed line, then tells where it is", async () => {
  const { rows, error, counts } = await read("prometheus", "a 1 1\nb 2 2\nbad\nc 3 3\n");
  expect(rows.map(({ line }) => line)).toEqual([1, 2]);
  expect(error).toEqual({ line: 3, column: 4, reason: "the sample has no value" });
  expect(counts).toMatchObject({ samples: 2, bad: 0 });
});

test("counts malformed lines that are skipped, and names each", async () => {
  const { rows, bad, counts } = await read("prometheus", "a 1 1\nbad\nworse\nc 3 3\n", {
    skipBad: true,
  });
  expect(rows.map(({ line }) => line)).toEqual([1, 4]);
  expect(bad.map(({ line }) => line)).toEqual([2, 3]);
  expect(counts).toEqual({ bytes: 22, lines: 4, samples: 2, bad: 2, exemplars: 0 });
});

test("lines up to the maximum are read, longer ones are not, whatever follows", async () => {
  const text = `${"a".repeat(76)} 1 1\n${"b".repeat(77)} 1 1\nc 1 1\n`;
  const { rows, bad } = await read("prometheus", text, { lineBytesMax: 80, skipBad: true });
  expect(rows.map(({ line }) => line)).toEqual([1, 3]);
  expect(bad).toEqual([{ line: 2, column: 1, reason: "the line is longer than 80 bytes" }]);
});

test("memory does not grow with a line that never ends", async () => {
  const piece = new Uint8Array(256 * 1024).fill(0x61);
  let peak = 0;
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 400; i += 1) {
      yield piece;
      peak = Math.max(peak, process.memoryUsage().arrayBuffers);
    }
  }
  const before = process.memoryUsage().arrayBuffers;
  const reader = readSamples("prometheus", source(), { skipBad: true });
  for await (const _ of reader) expect.unreachable();
  expect(reader.counts).toMatchObject({ bad: 1, bytes: 400 * piece.length });
  expect(peak - before).toBeLessThan(16 * 2 ** 20);
});

test("memory does not grow with the series of a file", async () => {
  let line = 0;
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let piece = 0; piece < 100; piece += 1) {
      let text = "";
      for (let i = 0; i < 3000; i += 1, line += 1)
        text += `m{a="${line}",p="${"x".repeat(60)}"} 1 1\n`;
      yield Buffer.from(text);
    }
  }
  let peak = 0;
  let rows = 0;
  const before = process.memoryUsage().arrayBuffers;
  for await (const batch of readSamples("prometheus", source())) {
    rows += batch.length;
    expect(batch.labels[batch.length - 1]!["a"]).toBe(String(batch.lines[batch.length - 1]! - 1));
    peak = Math.max(peak, process.memoryUsage().arrayBuffers);
  }
  expect(rows).toBe(300_000);
  expect(peak - before).toBeLessThan(64 * 2 ** 20);
});

test("what the source throws passes through", async () => {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("a 1 1\n");
    throw new RangeError("gone");
  }
  const seen: number[] = [];
  await expect(async () => {
    for await (const rows of readSamples("prometheus", source())) seen.push(rows.length);
  }).rejects.toThrow(RangeError);
  expect(seen).toEqual([1]);
});

test("empty input has no rows; only OpenMetrics and CSV miss something", async () => {
  for (const format of SAMPLE_FORMATS) {
    const { rows, error } = await read(format, "");
    expect(rows).toEqual([]);
    expect(error === undefined).toBe(format === "prometheus" || format === "jsonl");
  }
});

test.each([
  ["a label's value", (long: string) => `up{a="${long}"} 1 1\n`],
  ["a quoted name", (long: string) => `{"up","${long}"="b"} 1 1\n`],
  ["a metric that is described", (long: string) => `# HELP "${long}" text\nup 1 1\n`],
])(
  "reads lines of any length that an option allows: %s is not too long for the stack",
  async (_, line) => {
    const { rows, error } = await read("prometheus", line("a".repeat(2 ** 24)), {
      lineBytesMax: 2 ** 25,
    });
    expect(error).toBeUndefined();
    expect(rows).toHaveLength(1);
  },
);
