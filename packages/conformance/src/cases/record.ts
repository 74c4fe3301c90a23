import { makeRecordBuffer } from "@varve/bytes";
import {
  ACCEPTED,
  BAD_TIME,
  CONFLICT,
  LIMIT,
  OPEN,
  OUT_OF_ORDER,
  REPEATED,
} from "@varve/contracts";
import { cases } from "../case.ts";
import { holds, refuses, same, sameList } from "../expect.ts";
import { addKeyed, AWKWARD_BITS, keyOfNumber, wordsOf } from "../rows.ts";
import { addRow, check, checkTold, hexOf, outcomeOf, recordAt, tell } from "./record-steps.ts";

/** `up{job="x"}`, ref 1: (1000, 1), (2000, 2), as Prometheus writes it (FORMATS §8.2). */
const VECTOR = [
  "010000000000000001 02 085f5f6e616d655f5f 027570 036a6f62 0178",
  "02 0000000000000001 00000000000003e8 0000 3ff0000000000000 00d00f 4000000000000000",
].map((hex) => hex.replaceAll(" ", ""));
/** A type that no codec of ours and no Prometheus knows. */
const UNKNOWN_TYPE = 250;

export const recordCases = cases("record", {
  "tells-what-was-encoded": {
    title:
      "tells the samples that it encoded, in their order, and each new series before its first",
    async run(trial) {
      const codec = await trial.open();
      const batch = trial.batch(10);
      for (let n = 0; n < 6; n += 1) addRow(batch, n % 4, 1000 + n, wordsOf(n * 1.5), n < 4);
      check(codec, batch, 0, 6);
    },
  },
  "encodes-accepted-rows-only": {
    title: "encodes ACCEPTED rows of its range, and no other",
    async run(trial) {
      const codec = await trial.open();
      const batch = trial.batch(12);
      const statuses = [
        OPEN,
        ACCEPTED,
        REPEATED,
        OUT_OF_ORDER,
        CONFLICT,
        LIMIT,
        BAD_TIME,
        ACCEPTED,
      ];
      for (const [n, status] of statuses.entries()) {
        addRow(batch, n, 1000, wordsOf(n), true);
        batch.status[n] = status;
      }
      check(codec, batch, 0, 8);
      check(codec, batch, 2, 8);
      check(codec, batch, 1, 2);
    },
  },
  "encodes-nothing-for-no-row": {
    title: "writes nothing when no row of the range is accepted",
    async run(trial) {
      const codec = await trial.open();
      const batch = trial.batch(4);
      addRow(batch, 1, 1000, wordsOf(1), true);
      addRow(batch, 2, 1000, wordsOf(1), true);
      batch.status[0] = CONFLICT;
      const into = makeRecordBuffer();
      codec.encode(batch, 0, 1, into);
      codec.encode(batch, 1, 1, into);
      same(into.count, 0, "records");
      same(into.length, 0, "bytes");
    },
  },
  "keeps-every-bit": {
    title: "keeps the bits of every value: stale markers, other NaNs, -0, infinities",
    async run(trial) {
      const codec = await trial.open();
      const batch = trial.batch(AWKWARD_BITS.length);
      for (const [i, bits] of AWKWARD_BITS.entries()) addRow(batch, 1, i, bits, i === 0);
      check(codec, batch, 0, batch.length);
    },
  },
  "keeps-every-time": {
    title: "keeps times at both ends of the safe integers, and refs up to 2^32-1",
    async run(trial) {
      const codec = await trial.open();
      const { MAX_SAFE_INTEGER: max, MIN_SAFE_INTEGER: min } = Number;
      const times = [0, -1, 1, min, max, min, -86_400_000, max - 1, 2 ** 31, -(2 ** 31), 2 ** 40];
      const batch = trial.batch(times.length);
      for (const [i, time] of times.entries()) {
        const row = addRow(batch, i, time, wordsOf(i), true);
        batch.refs[row] = i % 2 === 0 ? i + 1 : 2 ** 32 - 1 - i;
      }
      check(codec, batch, 0, batch.length);
    },
  },
  "appends-to-what-is-there": {
    title: "encodes behind the records that the buffer holds, and leaves those alone",
    async run(trial) {
      const codec = await trial.open();
      const into = makeRecordBuffer({ bytes: 16 });
      const batch = trial.batch(200);
      for (let n = 0; n < 200; n += 1) addRow(batch, n % 50, n, wordsOf(n), n < 50);
      for (let from = 0; from < 200; from += 20) codec.encode(batch, from, from + 20, into);
      checkTold(tell(codec, into), batch, 0, 200);
    },
  },
  "encodes-a-series-alone": {
    title: "encodes one series alone, as checkpoints need it",
    async run(trial) {
      const codec = await trial.open();
      const into = makeRecordBuffer({ bytes: 16 });
      for (let n = 1; n <= 20; n += 1) {
        const padded = Uint8Array.of(1, 2, 3, ...keyOfNumber(n), 4);
        codec.encodeSeries(n, padded, 3, padded.length - 1, into);
      }
      const told = tell(codec, into);
      same(told.samples.length, 0, "samples");
      for (let n = 1; n <= 20; n += 1) {
        same(told.series.get(n), hexOf(keyOfNumber(n)), `key of series ${n}`);
      }
    },
  },
  "skips-unknown-types": {
    title: "skips records of a type that it does not know, and says so",
    async run(trial) {
      const codec = await trial.open();
      const visitor = { series: fail, samples: fail };
      const bytes = Uint8Array.of(UNKNOWN_TYPE, 1, 2, 3);
      same(codec.decode(bytes, 0, 4, visitor), false, "whether it was decoded");
    },
  },
  "refuses-malformed-records": {
    title: "answers damage with WAL_CORRUPT or with samples, and never reads outside the record",
    async run(trial) {
      const codec = await trial.open();
      const batch = trial.batch(6);
      for (let n = 0; n < 6; n += 1) addRow(batch, n, 1000 + n * n, wordsOf(n * 1.1), true);
      const into = makeRecordBuffer();
      codec.encode(batch, 0, 6, into);
      for (let i = 0; i < 3000; i += 1) {
        const record = recordAt(into, trial.random.below(into.count));
        if (trial.random.chance(0.5))
          record[trial.random.below(record.length)] = trial.random.below(256);
        const until = trial.random.chance(0.5)
          ? trial.random.below(record.length + 1)
          : record.length;
        if (until === 0) continue;
        same(
          outcomeOf(codec, record, until, 0x00),
          outcomeOf(codec, record, until, 0xff),
          "outcome",
        );
      }
    },
  },
  "refuses-cut-records": {
    title:
      "tells fewer series or samples of a record that was cut, or refuses it, and makes none up",
    async run(trial) {
      const codec = await trial.open();
      const batch = trial.batch(5);
      for (let n = 0; n < 5; n += 1) addRow(batch, n, 1000 + n, wordsOf(n), true);
      const into = makeRecordBuffer();
      codec.encode(batch, 0, 5, into);
      const whole = tell(codec, into);
      const known = new Set(whole.samples);
      let refused = 0;
      for (let i = 0; i < into.count; i += 1) {
        const record = recordAt(into, i);
        for (let until = 1; until < record.length; until += 1) {
          const outcome = outcomeOf(codec, record, until, 0);
          if (outcome === "refused") refused += 1;
          else {
            const { samples } = JSON.parse(outcome) as { samples: string[] };
            for (const sample of samples) holds(known.has(sample), `${sample} was encoded`);
          }
        }
      }
      holds(refused > 0, "most cuts are refused");
      await refuses("WAL_CORRUPT", "a record cut by its last byte", () => {
        const record = recordAt(into, into.count - 1);
        codec.decode(record, 0, record.length - 1, { series() {}, samples() {} });
      });
    },
  },
  "writes-what-prometheus-reads": {
    title: "writes records of Prometheus' types 1 and 2, byte for byte",
    applies: ({ traits }) => traits.prometheusReadable,
    async run(trial) {
      const codec = await trial.open();
      const batch = trial.batch(2);
      for (let i = 0; i < 2; i += 1) {
        const time = 1000 * (i + 1);
        const row = addKeyed(batch, VECTOR_KEY, { ref: 1, time, value: i + 1 });
        batch.status[row] = ACCEPTED;
        batch.isNew[row] = i === 0 ? 1 : 0;
      }
      const into = makeRecordBuffer();
      codec.encode(batch, 0, 2, into);
      const records = Array.from({ length: into.count }, (_, i) => hexOf(recordAt(into, i)));
      sameList(records, VECTOR, "records");
    },
  },
  "writes-types-of-its-own": {
    title: "writes records that Prometheus skips, as its trait says",
    applies: ({ traits }) => !traits.prometheusReadable,
    async run(trial) {
      const codec = await trial.open();
      const batch = trial.batch(1);
      addRow(batch, 1, 1000, wordsOf(1), true);
      const into = makeRecordBuffer();
      codec.encode(batch, 0, 1, into);
      const types = Array.from({ length: into.count }, (_, i) => recordAt(into, i)[0]!);
      holds(
        types.some((type) => type > 2),
        `samples have a type of their own, got ${types.join(" ")}`,
      );
    },
  },
  "tells-random-batches": {
    title: "tells random batches bit by bit, thousands of rows of them",
    async run(trial) {
      const { random } = trial;
      const codec = await trial.open();
      for (let round = 0; round < 60; round += 1) {
        const rows = 1 + random.below(200);
        const batch = trial.batch(rows);
        let time = random.below(2 ** 31);
        for (let n = 0; n < rows; n += 1) {
          time += random.chance(0.9) ? random.below(20) : random.below(2 ** 40) - 2 ** 39;
          const bits = random.chance(0.1)
            ? random.pick(AWKWARD_BITS)
            : ([random.word(), random.word()] as const);
          const row = addRow(batch, random.below(1000), time, bits, random.chance(0.3));
          if (random.chance(0.1)) batch.status[row] = random.below(7);
        }
        const from = random.below(rows);
        check(codec, batch, from, from + random.below(rows - from + 1));
        batch.dispose();
      }
    },
  },
});

const VECTOR_KEY = new TextEncoder()
  .encode("__name__\0up\0job\0x\0")
  .map((b) => (b === 0 ? 0xff : b));

function fail(): never {
  throw new Error("a record of an unknown type was told");
}
