import { LIMIT, NO_SERIES, OPEN, type SeriesIndex } from "@varve/contracts";
import { cases } from "../case.ts";
import { same, sameList } from "../expect.ts";
import { constantOf, plainOf, type KeyHash } from "../hashing.ts";
import { addKeyed, keyOfNumber } from "../rows.ts";
import { adopt, drop, keyBehind, type IndexTrial } from "./index-steps.ts";

/** 16 hashes for all keys: collisions everywhere, yet different ones. */
const coarseOf: KeyHash = (bytes, from, until, into) => {
  plainOf(bytes, from, until, into);
  into[0] = into[0]! & 15;
  into[1] = 1;
};

const KEYS = 400;

/** The dullest index there is: numbers of keys to refs. */
interface Model {
  readonly refs: Map<number, number>;
  nextRef: number;
}

export const indexModelCases = cases("series-index", {
  "does-as-a-map-does": {
    title: "does as a Map does over thousands of random finds, inserts and drops",
    run: (trial) => compare(trial, plainOf, 4000),
  },
  "does-as-a-map-does-colliding": {
    title: "does as a Map does while hashes collide",
    run: (trial) => compare(trial, coarseOf, 2000),
  },
  "does-as-a-map-does-with-one-hash": {
    title: "does as a Map does while all hashes are equal",
    run: (trial) => compare(trial, constantOf, 500),
  },
});

async function compare(trial: IndexTrial, hashOf: KeyHash, operations: number): Promise<void> {
  const { random } = trial;
  const seriesMax = Math.floor(KEYS * 0.8);
  const index = await trial.open({ seriesMax });
  const model: Model = { refs: new Map(), nextRef: 1 };
  const adopted = Array.from({ length: 40 }, () => random.below(KEYS));
  for (const n of adopted) {
    const ref = random.chance(0.2) ? model.nextRef : (model.refs.get(n) ?? model.nextRef);
    adopt(trial, index, [keyOfNumber(n)], [ref], hashOf);
    model.refs.set(n, ref);
    model.nextRef = Math.max(model.nextRef, ref + 1);
  }
  model.nextRef += random.below(3);
  index.settle(model.nextRef);
  const batch = trial.batch(64);
  for (let i = 0; i < operations; i += 1) {
    const choice = random.below(10);
    if (choice < 8) {
      batch.clear();
      const numbers = Array.from({ length: 1 + random.below(12) }, () => random.below(KEYS));
      for (const n of numbers) addKeyed(batch, keyOfNumber(n), { hashOf });
      if (choice < 4) checkFind(index, model, batch, numbers);
      else checkInsert(index, model, batch, numbers, seriesMax);
    } else if (choice === 8) {
      const refs = Array.from({ length: random.below(6) }, () => random.below(model.nextRef + 2));
      drop(index, refs);
      for (const [n, ref] of model.refs) if (refs.includes(ref)) model.refs.delete(n);
    } else {
      const n = random.below(KEYS);
      const ref = model.refs.get(n);
      if (ref !== undefined) sameList(keyBehind(index, ref), keyOfNumber(n), `key of ref ${ref}`);
    }
    same(index.size, model.refs.size, `size after operation ${i}`);
    same(index.nextRef, model.nextRef, `nextRef after operation ${i}`);
  }
}

type Batch = ReturnType<IndexTrial["batch"]>;

function checkFind(
  index: SeriesIndex,
  model: Model,
  batch: Batch,
  numbers: readonly number[],
): void {
  index.find(batch, 0, numbers.length);
  const expected = numbers.map((n) => model.refs.get(n) ?? NO_SERIES);
  sameList(batch.refs.subarray(0, numbers.length), expected, "refs found");
}

function checkInsert(
  index: SeriesIndex,
  model: Model,
  batch: Batch,
  numbers: readonly number[],
  seriesMax: number,
): void {
  const before = model.refs.size;
  const statuses: number[] = [];
  const refs = numbers.map((n) => {
    const known = model.refs.get(n);
    const full = known === undefined && model.refs.size >= seriesMax;
    statuses.push(full ? LIMIT : OPEN);
    if (full) return NO_SERIES;
    if (known === undefined) model.refs.set(n, model.nextRef++);
    return model.refs.get(n)!;
  });
  index.find(batch, 0, numbers.length);
  same(index.insert(batch, 0, numbers.length), model.refs.size - before, "new series");
  sameList(batch.refs.subarray(0, numbers.length), refs, "refs after insert");
  sameList(batch.status.subarray(0, numbers.length), statuses, "statuses after insert");
}
