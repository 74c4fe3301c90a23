import { makeColumns, makeRandom, type Random } from "@varve/bytes";
import {
  ACCEPTED,
  CONFLICT,
  LIMIT,
  OPEN,
  OUT_OF_ORDER,
  REPEATED,
  type ReadPin,
} from "@varve/contracts";
import { simDisk } from "@varve/disk/sim";
import { describe, expect, test } from "vitest";
import { type Bench, FACTORIES, openBench, type Sample } from "./support/bench.ts";

const SERIES = 12;
const STEPS = 4000;

/** The dullest correct thing: an array of samples a series. */
class Model {
  readonly admitted = Array.from({ length: SERIES + 1 }, (): Sample[] => []);
  readonly applied = Array.from({ length: SERIES + 1 }, (): Sample[] => []);
  /** Rows admitted and not applied, in order. */
  readonly waiting: { ref: number; row: number }[] = [];

  admit(ref: number, time: number, value: number): number {
    const last = this.admitted[ref]!.at(-1);
    if (last !== undefined && time < last.time) return OUT_OF_ORDER;
    if (last !== undefined && time === last.time) {
      return Object.is(value, last.value) ? REPEATED : CONFLICT;
    }
    this.admitted[ref]!.push({ time, value });
    return ACCEPTED;
  }
}

interface Held {
  readonly pin: ReadPin;
  readonly refs: number[];
  readonly samples: Sample[][];
}

function readPin(pin: ReadPin, i: number, from: number, until: number): Sample[] {
  const into = makeColumns({ capacity: 1 });
  pin.read(i, from, until, into);
  return Array.from({ length: into.length }, (_, k) => ({
    time: into.times[k]!,
    value: into.values[k]!,
  }));
}

/** One run of random steps over one disk. */
async function run(factory: (typeof FACTORIES)[number][1], random: Random): Promise<void> {
  const disk = simDisk({ seed: random.seed });
  const options = {
    samplesPerChunk: random.pick([2, 5, 17]),
    chunkBytesFirst: random.pick([18, 40, 128]),
    chunkBytesMax: random.pick([64, 200]),
    regionsPerRefill: random.pick([1, 3]),
    regionsAhead: random.pick([0, 5]),
    lazyChunks: random.chance(0.5),
    kernel: random.chance(0.5),
    fileBytesMax: random.pick([400, 2 ** 20]),
  };
  const bytesMax = random.pick([6000, 2 ** 20]);
  const open = () => openBench(factory(options), { disk, bytesMax, memoryBytesMax: 2 ** 21 });
  let bench = await open();
  const model = new Model();
  let lsn = 0;
  /** Applied batches, as a log has them. */
  const log: [number, number, number][][] = [];
  let held: Held[] = [];

  const waitingFrom = () =>
    model.waiting.length === 0 ? bench.batch.length : model.waiting[0]!.row;
  const apply = () => {
    lsn += 1;
    bench.blocks.append(bench.batch, waitingFrom(), bench.batch.length, lsn);
    log.push(
      model.waiting.map(({ ref, row }) => {
        const sample = { time: bench.batch.times[row]!, value: bench.batch.values[row]! };
        model.applied[ref]!.push(sample);
        return [ref, sample.time, sample.value];
      }),
    );
    model.waiting.length = 0;
    bench.batch.clear();
  };

  for (let step = 0; step < STEPS; step += 1) {
    const kind = random.unit();
    if (kind < 0.6) {
      // Rows join the open batch one by one or a few at a time.
      if (bench.batch.length + 4 > bench.batch.capacity) apply();
      const from = bench.batch.length;
      const statuses: number[] = [];
      const count = 1 + random.below(4);
      for (let i = 0; i < count; i += 1) {
        const ref = 1 + random.below(SERIES);
        const last = model.admitted[ref]!.at(-1);
        const time = (last?.time ?? random.below(100) - 50) + random.pick([-1, 0, 1, 1, 1, 7]);
        const value = random.chance(0.5) ? (last?.value ?? 0) : random.normal();
        const row = bench.batch.add(time, value);
        bench.batch.refs[row] = ref;
        statuses.push(model.admit(ref, time, value));
        if (statuses.at(-1) === ACCEPTED) model.waiting.push({ ref, row });
      }
      bench.blocks.admit(bench.batch, from, bench.batch.length);
      const told = [...bench.batch.status.subarray(from, bench.batch.length)];
      if (told.includes(LIMIT)) throw new Error("LIMIT: the model gives every run room enough");
      expect(told).toEqual(statuses);
    } else if (kind < 0.75) {
      apply();
    } else if (kind < 0.82) {
      // The log refuses the newest rows, from some row on.
      const from = waitingFrom() + random.below(bench.batch.length - waitingFrom() + 1);
      bench.blocks.withdraw(bench.batch, from, bench.batch.length);
      while (model.waiting.length > 0 && model.waiting.at(-1)!.row >= from) {
        const { ref, row } = model.waiting.pop()!;
        model.admitted[ref]!.pop();
        expect(bench.batch.status[row]).toBe(OPEN);
      }
      bench.batch.length = from;
    } else if (kind < 0.88) {
      const refs = Array.from({ length: 3 }, () => random.below(SERIES + 2));
      const pin = bench.blocks.pin(Uint32Array.from(refs), 3);
      held.push({ pin, refs, samples: refs.map((ref) => [...(model.applied[ref] ?? [])]) });
      if (held.length > 8) held.shift()!.pin[Symbol.dispose]();
    } else if (kind < 0.94) {
      check(held, random);
    } else if (kind < 0.985) {
      const budgetMs = random.pick([0, 100]);
      const sealBeforeLsn = random.pick([undefined, lsn - 3, lsn + 1]);
      const { durableLsn } = await bench.blocks.maintain({ budgetMs, sealBeforeLsn });
      expect(durableLsn).toBeLessThanOrEqual(lsn);
    } else {
      bench.blocks.withdraw(bench.batch, waitingFrom(), bench.batch.length);
      for (const { ref } of model.waiting) model.admitted[ref]!.pop();
      model.waiting.length = 0;
      check(held, random);
      held = [];
      await bench.close();
      bench = await reopen(open, log);
    }
  }
  apply();
  for (let ref = 1; ref <= SERIES; ref += 1) expect(bench.read(ref)).toEqual(model.applied[ref]);
  await bench.close();
  expect(bench.allocator.stats.live).toBe(0);
}

/** Reads some pins, over all time or part of it. */
function check(held: readonly Held[], random: Random): void {
  for (const { pin, refs, samples } of held) {
    const i = random.below(refs.length);
    const [from, until] = random.chance(0.5)
      ? [-Infinity, Infinity]
      : [random.below(200) - 50, random.below(400)];
    const expected = samples[i]!.filter(({ time }) => time >= from && time < until);
    expect(readPin(pin, i, from, until)).toEqual(expected);
  }
}

/** Opens again and replays the whole log: what is in sealed/ already is refused, and nothing comes twice. */
async function reopen(
  open: () => Promise<Bench>,
  log: [number, number, number][][],
): Promise<Bench> {
  const bench = await open();
  for (const [i, rows] of log.entries()) bench.write(rows, i + 1);
  bench.batch.clear();
  return bench;
}

describe.each(FACTORIES)("%s: model", (_, factory) => {
  test.each([1, 2, 3])(
    "agrees with an array a series over 4,000 random steps, seed %i",
    async (seed) => {
      await run(factory, makeRandom(seed));
    },
  );
});
