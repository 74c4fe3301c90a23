import { makeRandom, type Random } from "@varve/bytes";
import { checked } from "@varve/conformance";
import type { Plan } from "@varve/contracts";
import { expect, test } from "vitest";
import { isStorageError, open, recommended, seed, type Engine, type PreparedLabels } from "varve";
import { bitsOf, contentOf, freshDir, nameOf, type Content } from "./helpers.ts";

const OPERATIONS = 6000;
const SERIES = 30;

const PLANS: Record<string, [plan: Plan, rowsPerClose: number]> = {
  recommended: [recommended(), 64],
  "recommended, small batches": [recommended(), 3],
  seed: [seed(), 1],
  "recommended, checked": [
    Object.fromEntries(
      Object.entries(recommended()).map(([slot, variant]) => [slot, checked(variant)]),
    ) as Plan,
    16,
  ],
};

for (const [title, [plan, rowsPerClose]] of Object.entries(PLANS)) {
  for (const start of [1, 2, 3]) {
    test(`${title}: thousands of operations do what a Map of arrays does (seed ${start})`, async () => {
      const random = makeRandom(start);
      const dir = freshDir();
      const openIt = (): Promise<Engine> =>
        open({ dir, plan, rowsPerClose, memoryBytesMax: 32 * 2 ** 20, closeDelayMs: 1 });
      const model = new Model();
      let store = await openIt();
      let prepared = new Map<number, PreparedLabels>();
      try {
        for (let i = 0; i < OPERATIONS; i += 1) {
          const draw = random.unit();
          if (draw < 0.8) writeOne(store, model, random, prepared);
          else if (draw < 0.97) writeMany(store, model, random);
          else if (draw < 0.98) await store.flush();
          else if (draw < 0.99) await store.maintain(random.below(20));
          else if (draw < 0.992) expect(await contentOf(store)).toEqual(model.content);
          else if (draw < 0.994) await store.compactLog();
          else if (draw < 0.996) {
            await store.close();
            store = await openIt();
            prepared = new Map();
          }
        }
        expect(await contentOf(store)).toEqual(model.content);
        expect(store.stats().series).toBe(model.content.size);
      } finally {
        await store.close();
      }
    }, 60_000);
  }
}

/** The dullest correct thing. */
class Model {
  readonly content: Content = new Map();

  /** The status that a row deserves, after which it is applied if it is accepted. */
  write(name: string, time: number, value: number): string {
    if (!Number.isSafeInteger(time)) return "BAD_TIME";
    const samples = this.content.get(name) ?? [];
    const last = samples.at(-1);
    const bits = bitsOf(value);
    if (last !== undefined && time < last[0]) return "OUT_OF_ORDER";
    if (last !== undefined && time === last[0]) return bits === last[1] ? "REPEATED" : "CONFLICT";
    this.content.set(name, samples);
    samples.push([time, bits]);
    return "ACCEPTED";
  }
}

interface Row {
  readonly series: number;
  readonly time: number;
  readonly value: number;
}

function draw(model: Model, random: Random): Row {
  const series = random.below(SERIES);
  const last = model.content.get(nameOf(labelsOf(series)))?.at(-1)?.[0] ?? -50;
  const time = random.chance(0.02)
    ? Number.NaN
    : last + random.below(100) - (random.chance(0.2) ? 50 : 0);
  return {
    series,
    time,
    value: random.pick([0, -0, 1, Number.NaN, random.unit(), random.below(100)]),
  };
}

function labelsOf(series: number): Record<string, string> {
  return series % 3 === 0 ? { s: String(series) } : { __name__: "m", s: String(series), z: "é" };
}

function writeOne(
  store: Engine,
  model: Model,
  random: Random,
  prepared: Map<number, PreparedLabels>,
): void {
  const { series, time, value } = draw(model, random);
  const labels = labelsOf(series);
  const expected = model.write(nameOf(labels), time, value);
  let status = "ACCEPTED";
  try {
    if (random.chance(0.3)) {
      if (!prepared.has(series)) prepared.set(series, store.labels(labels));
      store.write(prepared.get(series)!, time, value);
    } else {
      store.write(labels, time, value);
    }
  } catch (error) {
    if (!isStorageError(error)) throw error;
    status = error.code;
  }
  expect(status).toBe(expected === "REPEATED" ? "ACCEPTED" : expected);
}

const STATUSES = ["OPEN", "ACCEPTED", "REPEATED", "OUT_OF_ORDER", "CONFLICT", "LIMIT", "BAD_TIME"];

function writeMany(store: Engine, model: Model, random: Random): void {
  using batch = store.batch(40);
  const expected: string[] = [];
  const count = 1 + random.below(40);
  for (let i = 0; i < count; i += 1) {
    const { series, time, value } = draw(model, random);
    batch.add(labelsOf(series), time, value);
    expected.push(model.write(nameOf(labelsOf(series)), time, value));
  }
  const result = store.writeBatch(batch);
  expect(Array.from({ length: count }, (_, row) => STATUSES[batch.status(row)])).toEqual(expected);
  const accepted = expected.filter(
    (status) => status === "ACCEPTED" || status === "REPEATED",
  ).length;
  expect(result).toMatchObject({ accepted, rejected: count - accepted });
}
