import { makeColumns } from "@varve/bytes";
import { cases } from "../case.ts";
import { holds, same, sameList } from "../expect.ts";
import { AWKWARD_BITS, bitsAt, wordsOf } from "../rows.ts";
import { checkDecodes, placeOf, randomWalk, type Sample } from "./chunk-steps.ts";

const sample = (time: number, value: number): Sample => {
  const [low, high] = wordsOf(value);
  return { time, low, high };
};

/** Samples and chunks that Prometheus' own reader confirmed (FORMATS §4), by their count. */
const VECTOR_SAMPLES = [
  sample(1000, 1),
  sample(2000, 2),
  sample(3000, 2),
  sample(4500, 3.5),
  { time: 4501, low: 0, high: 0x7ff8_0000 },
  sample(10_000_000, -0),
];
const VECTORS: readonly (readonly [count: number, hex: string])[] = [
  [1, "0001d00f3ff0000000000000"],
  [2, "0002d00f3ff0000000000000e807c25fff"],
  [3, "0003d00f3ff0000000000000e807c25fff00"],
  [4, "0004d00f3ff0000000000000e807c25fff207d360580"],
  [6, "0006d00f3ff0000000000000e807c25fff207d3605dd12e233ff7c00000000026213ab01bfff"],
];
const ROOM = 4096;

export const chunkPromiseCases = cases("chunk", {
  "decodes-what-was-appended": {
    title:
      "decodes the samples that were appended, of an unsealed chunk up to any count it reached",
    async run(trial) {
      const codec = await trial.open();
      const place = placeOf(trial, codec, ROOM);
      const samples = randomWalk(trial.random, 60);
      for (const [i, each] of samples.entries()) {
        holds(place.append(each), `sample ${i} fits`);
        same(place.count, i + 1, "count");
        place.check(samples.slice(0, i + 1), `after ${i + 1} samples`);
      }
      for (let count = 0; count <= 60; count += 1)
        place.check(samples.slice(0, count), `first ${count}`);
    },
  },
  "declares-its-encoding": {
    title: "has the encoding that its trait declares",
    async run(trial) {
      const codec = await trial.open();
      same(codec.encoding, trial.variant.traits.encoding, "encoding");
      same(codec.stateBytes % 8, 0, "stateBytes modulo 8");
    },
  },
  "follows-the-xor-vectors": {
    title: "writes Prometheus' XOR chunks byte for byte",
    applies: ({ traits }) => traits.encoding === 1,
    async run(trial) {
      const codec = await trial.open();
      for (const [count, hex] of VECTORS) {
        const place = placeOf(trial, codec, ROOM);
        for (const each of VECTOR_SAMPLES.slice(0, count)) place.append(each);
        same(Buffer.from(place.seal()).toString("hex"), hex, `chunk of ${count} samples`);
        const bytes = Uint8Array.from(Buffer.from(`${hex}00`, "hex")); // Older writers leave a zero behind.
        checkDecodes(codec, bytes, 0, bytes.length, VECTOR_SAMPLES.slice(0, count), "vector");
      }
    },
  },
  "uses-another-encoding": {
    title: "does not call its chunks XOR unless they are",
    applies: ({ traits }) => traits.encoding !== 1,
    async run(trial) {
      const codec = await trial.open();
      const place = placeOf(trial, codec, ROOM);
      for (const each of VECTOR_SAMPLES) place.append(each);
      holds(
        Buffer.from(place.seal()).toString("hex") !== VECTORS[4]![1],
        "chunks differ from XOR's",
      );
    },
  },
  "keeps-every-bit": {
    title: "keeps the bits of every value: stale markers, other NaNs, -0, infinities",
    async run(trial) {
      const codec = await trial.open();
      const place = placeOf(trial, codec, ROOM);
      const samples: Sample[] = [];
      for (const [low, high] of [...AWKWARD_BITS, ...AWKWARD_BITS.toReversed(), ...AWKWARD_BITS]) {
        samples.push({ time: samples.length, low, high });
      }
      for (const each of samples) holds(place.append(each), "sample fits");
      place.check(samples, "awkward values");
    },
  },
  "keeps-every-step-of-time": {
    title: "keeps times whose steps change by any amount",
    async run(trial) {
      const codec = await trial.open();
      const changes = [0, 1, -1, 63, 64, 65, 8191, 8192, 8193, 65_535, 65_536, 65_537, 524_287]
        .flatMap((change) => [change, -change])
        .concat([524_288, 524_289, 2 ** 31, 2 ** 32, 2 ** 33 + 1, 2 ** 40]);
      for (const change of changes) {
        const times = [0, 2 ** 41, 2 ** 42 + change, 2 ** 42 + 2 ** 41 + change, 2 ** 43 + 2 ** 42];
        const place = placeOf(trial, codec, ROOM);
        const samples = times.map((time, i) => sample(time - 2 ** 42, i));
        for (const each of samples) holds(place.append(each), `step change ${change} fits`);
        place.check(samples, `step change ${change}`);
      }
    },
  },
  "keeps-times-at-the-ends-of-their-range": {
    title: "keeps times at both ends of the safe integers, or refuses to append them",
    async run(trial) {
      const codec = await trial.open();
      const { MIN_SAFE_INTEGER: min, MAX_SAFE_INTEGER: max } = Number;
      const series = [
        [min],
        [max],
        [min, 0, max],
        [min, max],
        [min, min + 1, max],
        [min, max - 1, max],
        [min, -1, 0, 1, max],
        [0, 1, max - 1, max],
        [min, min + 1, min + 2, max - 2, max],
      ];
      for (const times of series) {
        const place = placeOf(trial, codec, ROOM);
        const kept: Sample[] = [];
        for (const time of times) if (place.append(sample(time, 1))) kept.push(sample(time, 1));
        holds(kept.length > 0, "the first sample is taken, whatever its time");
        place.check(kept, `times ${times.join(" ")}`);
      }
    },
  },
  "refuses-at-its-capacity": {
    title: "refuses a sample that could exceed the capacity, and changes nothing then",
    async run(trial) {
      const codec = await trial.open();
      for (let capacity = codec.capacityMin; capacity < codec.capacityMin + 60; capacity += 1) {
        const place = placeOf(trial, codec, capacity);
        const room = place.at + capacity;
        const samples = randomWalk(trial.random, 100);
        const kept: Sample[] = [];
        for (const each of samples) {
          const before = [place.state.words.slice(), place.bytes.slice()];
          if (place.append(each, capacity)) {
            kept.push(each);
            continue;
          }
          sameList(place.state.words, before[0]!, "state after a refusal");
          sameList(place.bytes, before[1]!, "bytes after a refusal");
          break;
        }
        holds(kept.length >= 1 && kept.length < 100, `${capacity} bytes take one sample, not 100`);
        holds(place.length <= capacity, `${place.length} bytes lie within ${capacity}`);
        for (let i = room; i < place.bytes.length; i += 1) {
          if (place.bytes[i] !== 0xa5)
            same(place.bytes[i], 0xa5, `byte ${i - room} behind the chunk`);
        }
        place.check(kept, `capacity ${capacity}`);
      }
    },
  },
  "takes-one-sample-in-the-least-capacity": {
    title: "takes any first sample in capacityMin bytes",
    async run(trial) {
      const codec = await trial.open();
      for (const time of [0, -1, 2 ** 45, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]) {
        for (const [low, high] of AWKWARD_BITS) {
          const place = placeOf(trial, codec, codec.capacityMin);
          holds(
            place.append({ time, low, high }, codec.capacityMin),
            `first sample at ${time} fits`,
          );
          place.check([{ time, low, high }], `first sample at ${time}`);
        }
      }
    },
  },
  "goes-on-after-a-move": {
    title: "goes on in a larger place after its bytes were copied there",
    async run(trial) {
      const codec = await trial.open();
      const samples = randomWalk(trial.random, 200);
      let place = placeOf(trial, codec, 64);
      let moves = 0;
      for (const each of samples) {
        while (!place.append(each)) {
          place = place.movedTo(placeOf(trial, codec, place.capacity * 2));
          moves += 1;
        }
      }
      holds(moves > 2, `the chunk moves some times, got ${moves}`);
      place.check(samples, "after moves");
      same(place.count, 200, "count");
    },
  },
  "goes-on-after-sealing": {
    title: "states its count when sealed, and can be appended to afterwards",
    async run(trial) {
      const codec = await trial.open();
      const place = placeOf(trial, codec, ROOM);
      const samples = randomWalk(trial.random, 60);
      for (const [i, each] of samples.entries()) {
        place.append(each);
        const sealed = place.seal();
        same(sealed.length, place.length, `length of ${i + 1} samples`);
        same(codec.storedCount(sealed, 0, sealed.length), i + 1, "count stored");
        checkDecodes(
          codec,
          sealed,
          0,
          sealed.length,
          samples.slice(0, i + 1),
          `sealed at ${i + 1}`,
        );
      }
    },
  },
  "keeps-appenders-apart": {
    title: "keeps many chunks apart whose states lie side by side",
    async run(trial) {
      const codec = await trial.open();
      const [stride, chunks] = [codec.stateBytes, 16];
      const offset = trial.memory.take(stride * chunks);
      const state = {
        words: trial.memory.words(offset, (stride * chunks) / 4),
        doubles: trial.memory.doubles(offset, (stride * chunks) / 8),
      };
      const bytes = trial.memory.bytes(trial.memory.take(1024 * chunks), 1024 * chunks);
      const walks = Array.from({ length: chunks }, () => randomWalk(trial.random, 20));
      for (let i = 0; i < chunks; i += 1) codec.open(state, i * stride, bytes, i * 1024);
      for (let at = 0; at < 20; at += 1) {
        for (const [i, walk] of walks.entries()) {
          const { time, low, high } = walk[at]!;
          codec.append(state, i * stride, bytes, i * 1024, 1024, time, low, high);
        }
      }
      for (const [i, walk] of walks.entries()) {
        const length = codec.length(state, i * stride);
        checkDecodes(codec, bytes, i * 1024, length, walk, `chunk ${i}`);
      }
    },
  },
  "appends-to-columns": {
    title: "decodes behind the samples that the columns hold, and leaves those alone",
    async run(trial) {
      const codec = await trial.open();
      const place = placeOf(trial, codec, ROOM);
      for (let i = 0; i < 5; i += 1) place.append(sample(i, i));
      const into = makeColumns({ capacity: 2 });
      for (let round = 0; round < 3; round += 1) {
        codec.decode(place.bytes, place.at, place.length, 5, into);
      }
      same(into.length, 15, "length");
      for (let i = 0; i < 15; i += 1) same(into.values[i], i % 5, `value ${i}`);
      codec.decode(place.bytes, place.at, place.length, 0, into);
      same(into.length, 15, "length after decoding nothing");
      same(bitsAt(into.values, 0), "0000000000000000", "bits of the first value");
    },
  },
  "states-counts-truthfully": {
    title: "never takes more samples than its header can state",
    async run(trial) {
      const codec = await trial.open();
      const place = placeOf(trial, codec, 2 * 1024 * 1024);
      const samples: Sample[] = [];
      for (let i = 0; i < 70_000; i += 1) {
        const each = sample(i * 1000, 1);
        if (!place.append(each)) break;
        samples.push(each);
      }
      const sealed = place.seal();
      same(codec.storedCount(sealed, 0, sealed.length), samples.length, "count stored");
      place.check(samples, "a full chunk");
    },
  },
  "follows-random-walks": {
    title: "does as an array does over thousands of random samples",
    async run(trial) {
      const codec = await trial.open();
      for (let round = 0; round < 60; round += 1) {
        const samples = randomWalk(trial.random, 1 + trial.random.below(240));
        const place = placeOf(trial, codec, 8192);
        for (const each of samples) holds(place.append(each), "sample fits");
        place.check(samples, `walk ${round}`);
        const sealed = place.seal();
        checkDecodes(codec, sealed, 0, sealed.length, samples, `sealed walk ${round}`);
      }
    },
  },
});
