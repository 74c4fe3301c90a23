import { keyOf, type RowBatch } from "@varve/bytes";
import { LABEL_LIMITS, type KeyEncoder, type Labels } from "@varve/contracts";
import { cases } from "../case.ts";
import { holds, refuses, same, sameList } from "../expect.ts";
import { keyAt } from "../rows.ts";
import type { Trial } from "../trial.ts";

/** Label sets that are easy to get wrong. */
const EXAMPLES: readonly Labels[] = [
  { a: "1" },
  { __name__: "cpu", host: "a", dc: "eu" },
  { host: "a", __name__: "cpu" },
  { z: "1", y: "", x: "2" },
  { "": "", a: "1" },
  { ab: "c", a: "bc" },
  { "10": "ten", "9": "nine", b: "x" },
  { "\u{1f600}": "astral", "\ue000": "private use", "\uffff": "last of the plane" },
  { "\ufb01": "ligature", "\u{10000}": "first astral", é: "accent", e: "plain" },
  { nul: "a\0b", "n\0l": "x" },
  Object.fromEntries([
    ["__proto__", "own"],
    ["constructor", "x"],
    ["toString", "y"],
  ]),
  { long: "v".repeat(4096) },
  { ["n".repeat(256)]: "é".repeat(2048) },
  Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`label_${i}`, `${i}`])),
];

export const labelKeyCases = cases("label-key", {
  "writes-the-canonical-key": {
    title:
      "writes labels sorted by UTF-8 bytes, each as name 0xFF value 0xFF, without empty values",
    async run(trial) {
      const encoder = await trial.open();
      for (const labels of EXAMPLES) {
        sameList(encodeOne(encoder, trial.batch(1), labels), keyOf(labels), show(labels));
      }
    },
  },
  "appends-rows": {
    title: "writes each row's key behind the one before, and leaves earlier rows alone",
    async run(trial) {
      const encoder = await trial.open();
      const batch = trial.batch(EXAMPLES.length);
      for (const labels of EXAMPLES) encoder.encode(labels, batch, batch.add(1, 2));
      for (const [row, labels] of EXAMPLES.entries()) {
        sameList(keyAt(batch, row), keyOf(labels), `row ${row}: ${show(labels)}`);
      }
    },
  },
  "ignores-the-order-of-properties": {
    title: "gives one key to a label set, in whatever order its properties were set",
    async run(trial) {
      const encoder = await trial.open();
      const entries = Array.from({ length: 12 }, (_, i) => [`name_${i}`, `value ${i}`] as const);
      const wanted = keyOf(Object.fromEntries(entries));
      for (let i = 0; i < 200; i += 1) {
        const shuffled = entries.toSorted(() => trial.random.unit() - 0.5);
        const key = encodeOne(encoder, trial.batch(1), Object.fromEntries(shuffled));
        sameList(key, wanted, `key of ${shuffled.map(([name]) => name).join(" ")}`);
      }
    },
  },
  "counts-own-enumerable-properties": {
    title: "counts own enumerable properties only",
    async run(trial) {
      const encoder = await trial.open();
      const labels = Object.create({ inherited: "no" }) as Record<string, string>;
      labels["own"] = "yes";
      Object.defineProperty(labels, "hidden", { value: "no", enumerable: false });
      sameList(encodeOne(encoder, trial.batch(1), labels), keyOf({ own: "yes" }), "key");
    },
  },
  "sees-changed-labels": {
    title: "sees the labels as they are at each call, also in an object that it has seen",
    async run(trial) {
      const encoder = await trial.open();
      const batch = trial.batch(100);
      const labels: Record<string, string> = { host: "a", mode: "idle" };
      for (let i = 0; i < 100; i += 1) {
        labels["host"] = `host-${i % 7}`;
        if (i % 3 === 0) labels[`extra_${i % 5}`] = "x";
        if (i % 4 === 0) delete labels["extra_0"];
        const row = batch.add(0, 0);
        encoder.encode(labels, batch, row);
        sameList(keyAt(batch, row), keyOf(labels), `row ${row}: ${show(labels)}`);
      }
    },
  },
  "makes-room-for-keys": {
    title: "makes room in the batch for keys of any size, and keeps those that are there",
    async run(trial) {
      const encoder = await trial.open({
        limits: { labelsMax: 64, nameBytesMax: 256, valueBytesMax: 100_000 },
      });
      const batch = trial.batch(8);
      const sets = Array.from({ length: 8 }, (_, i) => ({ n: `${i}`, v: "é".repeat(i * 6000) }));
      for (const labels of sets) encoder.encode(labels, batch, batch.add(0, 0));
      for (const [row, labels] of sets.entries())
        sameList(keyAt(batch, row), keyOf(labels), `row ${row}`);
    },
  },
  "changes-keys-only": {
    title: "changes nothing of a batch but keys and where they end",
    async run(trial) {
      const encoder = await trial.open();
      const batch = trial.batch(2);
      batch.add(1, 2);
      batch.refs[0] = 5;
      batch.hashes.fill(9);
      encoder.encode({ a: "b" }, batch, 0);
      same(batch.refs[0], 5, "ref");
      same(batch.times[0], 1, "time");
      same(batch.values[0], 2, "value");
      same(batch.status[0], 0, "status");
      same(batch.hashes[0], 9, "hash");
      same(batch.length, 1, "length");
    },
  },
  "refuses-bad-labels": {
    title: "refuses a bad label set, names the label, and writes nothing that counts",
    async run(trial) {
      const encoder = await trial.open();
      const bad: readonly (readonly [labels: unknown, names: string])[] = [
        [{}, ""],
        [{ a: "", b: "" }, ""],
        [{ "": "x" }, ""],
        [{ ok: "1", lonely: "\ud800" }, "lonely"],
        [{ ok: "1", lonely: "x\udc00y" }, "lonely"],
        [{ ok: "1", lonely: "\udc00\ud800" }, "lonely"],
        [{ ok: "1", "na\ud800me": "x" }, "na"],
        [{ ok: "1", number: 5 }, "number"],
        [{ ok: "1", nothing: undefined }, "nothing"],
        [{ ok: "1", nothing: null }, "nothing"],
        [{ ok: "1", object: {} }, "object"],
      ];
      for (const [labels, name] of bad) await checkRefused(encoder, trial.batch(3), labels, name);
    },
  },
  "keeps-to-its-limits": {
    title: "takes label sets at its limits, counted in UTF-8 bytes, and refuses those above",
    async run(trial) {
      const limits = { labelsMax: 3, nameBytesMax: 6, valueBytesMax: 9 };
      const encoder = await trial.open({ limits });
      const good: readonly Labels[] = [
        { a: "1", b: "2", c: "3", d: "" },
        { abcdef: "123456789" },
        { ééé: "€€€" },
        { "\u{1f600}": "\u{1f600}\u{1f600}" },
      ];
      for (const labels of good) {
        sameList(encodeOne(encoder, trial.batch(1), labels), keyOf(labels), show(labels));
      }
      await checkRefused(encoder, trial.batch(3), { a: "1", b: "2", c: "3", d: "4" }, "");
      await checkRefused(encoder, trial.batch(3), { ok: "1", abcdefg: "1" }, "abcdefg");
      await checkRefused(encoder, trial.batch(3), { ok: "1", éééé: "1" }, "éééé");
      await checkRefused(encoder, trial.batch(3), { ok: "1", v: "1234567890" }, "v");
      await checkRefused(encoder, trial.batch(3), { ok: "1", v: "€€€1" }, "v");
    },
  },
  "has-default-limits": {
    title: "refuses one byte or one label more than the default limits",
    async run(trial) {
      const encoder = await trial.open({ limits: LABEL_LIMITS });
      const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`l${i}`, "x"]));
      await checkRefused(encoder, trial.batch(3), many, "");
      await checkRefused(encoder, trial.batch(3), { ["n".repeat(257)]: "x" }, "nnn");
      await checkRefused(encoder, trial.batch(3), { v: "x".repeat(4097) }, "v");
    },
  },
  "follows-the-plain-encoding": {
    title: "gives the same keys as the plain encoding over thousands of random label sets",
    async run(trial) {
      const encoder = await trial.open();
      const { random } = trial;
      const names = [
        "host",
        "dc",
        "__name__",
        "é",
        "\u{1f600}",
        "\ue000",
        "a",
        "aa",
        "ab",
        "10",
        "9",
      ];
      const values = ["", "x", "12345", "eu-west-1", "ü", "\u{1f4a9}\u{1f4a9}", "v".repeat(300)];
      const batch = trial.batch(50);
      for (let i = 0; i < 4000; i += 1) {
        if (batch.length === 50) batch.clear();
        const labels: Record<string, string> = { always: `${random.below(100)}` };
        for (let j = random.below(7); j > 0; j -= 1)
          labels[random.pick(names)] = random.pick(values);
        const row = batch.add(0, 0);
        encoder.encode(labels, batch, row);
        sameList(keyAt(batch, row), keyOf(labels), `set ${i}: ${show(labels)}`);
      }
    },
  },
  "bounds-what-it-remembers": {
    title: "stays right, and within bounds of memory, over 20,000 different shapes",
    applies: ({ traits }) => traits.caches,
    run: (trial) => encodeManyShapes(trial, 20_000),
  },
  "remembers-nothing": {
    title: "gives the same keys to every shape, seen before or not",
    applies: ({ traits }) => !traits.caches,
    run: (trial) => encodeManyShapes(trial, 2000),
  },
});

async function encodeManyShapes(trial: Trial<"label-key">, shapes: number): Promise<void> {
  const encoder = await trial.open();
  const batch = trial.batch(1);
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < shapes; i += 1) {
    const labels = { [`shape_${i}_${"x".repeat(200)}`]: "1", host: "a", [`b_${i % 97}`]: "c" };
    for (let again = 0; again < 2; again += 1) {
      sameList(encodeOne(encoder, batch, labels), keyOf(labels), `shape ${i}`);
    }
  }
  const grownBytes = process.memoryUsage().heapUsed - before;
  const bound = 256 * 1024 * 1024; // Far above any sane cache, and garbage not yet collected.
  holds(grownBytes < bound, `the heap grows by less than ${bound} bytes, got ${grownBytes}`);
}

function encodeOne(encoder: KeyEncoder, batch: RowBatch, labels: Labels): Uint8Array {
  batch.clear();
  encoder.encode(labels, batch, batch.add(0, 0));
  return keyAt(batch, 0);
}

/** Refused in the middle of a batch, the rows around it stay as they are. */
async function checkRefused(
  encoder: KeyEncoder,
  batch: RowBatch,
  labels: unknown,
  name: string,
): Promise<void> {
  batch.clear();
  encoder.encode({ first: "1" }, batch, batch.add(0, 0));
  const row = batch.add(0, 0);
  const what = `labels ${show(labels)}`;
  const error = await refuses("LABELS", what, () => encoder.encode(labels as Labels, batch, row));
  const told = `${error.message} ${JSON.stringify("facts" in error ? error.facts : {})}`;
  holds(told.includes(name), `the error of ${what} names the label, got ${told}`);
  sameList(keyAt(batch, 0), keyOf({ first: "1" }), "the row before");
  encoder.encode({ second: "2" }, batch, row);
  sameList(keyAt(batch, row), keyOf({ second: "2" }), "the row, once it is good");
}

function show(labels: unknown): string {
  const text = JSON.stringify(labels) ?? String(labels);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
