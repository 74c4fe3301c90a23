import { ACCEPTED, BAD_TIME, LIMIT, NO_SERIES, OPEN } from "@varve/contracts";
import { cases } from "../case.ts";
import { holds, same, sameList } from "../expect.ts";
import { addKeyed, bytesOf, keyAt, keyOfNumber } from "../rows.ts";
import { adopt, drop, find, insert, keyBehind, none, openFresh, refsOf } from "./index-steps.ts";

const keysOf = (count: number, from = 0): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => keyOfNumber(from + i));

export const indexPromiseCases = cases("series-index", {
  "finds-what-was-inserted": {
    title: "finds every key that was inserted, under its ref",
    async run(trial) {
      const index = await openFresh(trial);
      const refs = insert(trial, index, keysOf(1000));
      sameList(find(trial, index, keysOf(1000)), refs, "refs found");
      same(index.size, 1000, "size");
    },
  },
  "does-not-find-what-was-not": {
    title: "leaves rows with unknown keys at NO_SERIES",
    async run(trial) {
      const index = await openFresh(trial);
      sameList(find(trial, index, keysOf(20)), none(20), "refs in an empty index");
      insert(trial, index, keysOf(100));
      sameList(find(trial, index, keysOf(100, 100)), none(100), "refs of other keys");
      const [key] = keysOf(1);
      const near = [key!.slice(0, -1), Uint8Array.of(...key!, 0xff), key!.slice(1)];
      sameList(find(trial, index, near), none(3), "refs of keys that are longer or shorter");
    },
  },
  "issues-dense-refs": {
    title: "issues refs 1, 2, 3 … in order of first sight",
    async run(trial) {
      const index = await openFresh(trial);
      same(index.nextRef, 1, "nextRef of an empty index");
      sameList(insert(trial, index, keysOf(700)), refsOf(700), "refs");
      same(index.nextRef, 701, "nextRef");
    },
  },
  "gives-equal-keys-one-ref": {
    title: "gives equal keys within one insert range one ref, and counts them once",
    async run(trial) {
      const index = await openFresh(trial);
      const batch = trial.batch(8);
      for (const n of [1, 2, 1, 3, 2, 1]) addKeyed(batch, keyOfNumber(n));
      same(index.insert(batch, 0, 6), 3, "new series");
      sameList(batch.refs.subarray(0, 6), [1, 2, 1, 3, 2, 1], "refs");
      same(index.size, 3, "size");
      same(index.nextRef, 4, "nextRef");
    },
  },
  "inserts-known-keys-under-their-ref": {
    title: "gives rows whose key is known its ref, without counting a new series",
    async run(trial) {
      const index = await openFresh(trial);
      insert(trial, index, keysOf(3));
      const batch = trial.batch(4);
      for (const n of [2, 9, 0]) addKeyed(batch, keyOfNumber(n));
      same(index.insert(batch, 0, 3), 1, "new series");
      sameList(batch.refs.subarray(0, 3), [3, 4, 1], "refs");
    },
  },
  "inserts-only-open-rows": {
    title: "inserts only OPEN rows without a ref",
    async run(trial) {
      const index = await openFresh(trial);
      const batch = trial.batch(4);
      for (let n = 0; n < 4; n += 1) addKeyed(batch, keyOfNumber(n));
      batch.status[0] = BAD_TIME;
      batch.status[1] = ACCEPTED;
      batch.refs[2] = 77;
      same(index.insert(batch, 0, 4), 1, "new series");
      sameList(batch.refs.subarray(0, 4), [NO_SERIES, NO_SERIES, 77, 1], "refs");
      sameList(batch.status.subarray(0, 4), [BAD_TIME, ACCEPTED, OPEN, OPEN], "status");
    },
  },
  "finds-only-rows-without-a-ref": {
    title: "find leaves rows alone that have a ref already, whatever their status",
    async run(trial) {
      const index = await openFresh(trial);
      insert(trial, index, keysOf(3));
      const batch = trial.batch(3);
      for (let n = 0; n < 3; n += 1) addKeyed(batch, keyOfNumber(n));
      batch.refs[0] = 77;
      batch.status[1] = BAD_TIME;
      index.find(batch, 0, 3);
      same(batch.refs[0], 77, "the ref that was given");
      same(batch.refs[2], 3, "the ref that was found");
      sameList(batch.status.subarray(0, 3), [OPEN, BAD_TIME, OPEN], "status");
    },
  },
  "stays-in-its-range": {
    title: "finds, inserts and adopts only rows of the range",
    async run(trial) {
      const index = await trial.open();
      const batch = trial.batch(6);
      for (let n = 0; n < 6; n += 1) addKeyed(batch, keyOfNumber(n), { ref: n + 1 });
      index.adopt(batch, 1, 2);
      index.settle(1);
      same(index.size, 1, "size after adopting one row");
      batch.refs.fill(NO_SERIES);
      index.find(batch, 0, 1);
      index.find(batch, 2, 6);
      sameList(batch.refs.subarray(0, 6), none(6), "refs outside the range found");
      same(index.insert(batch, 2, 4), 2, "new series");
      sameList(batch.refs.subarray(0, 6), [0, 0, 3, 4, 0, 0], "refs");
      same(index.insert(batch, 4, 4), 0, "new series of an empty range");
    },
  },
  "changes-refs-only": {
    title: "changes nothing of a batch but refs, and statuses at a limit",
    async run(trial) {
      const index = await openFresh(trial);
      const batch = trial.batch(3);
      for (let n = 0; n < 3; n += 1) addKeyed(batch, keyOfNumber(n), { time: n, value: n });
      const before = [batch.hashes, batch.keyAt, batch.times, batch.valueWords, batch.isNew].map(
        (column) => column.slice(),
      );
      const keys = keyAt(batch, 1);
      index.find(batch, 0, 3);
      index.insert(batch, 0, 3);
      const after = [batch.hashes, batch.keyAt, batch.times, batch.valueWords, batch.isNew];
      for (const [i, column] of after.entries()) sameList(column, before[i]!, `column ${i}`);
      sameList(keyAt(batch, 1), keys, "key bytes");
      sameList(batch.status.subarray(0, 3), [OPEN, OPEN, OPEN], "status");
    },
  },
  "copies-the-key": {
    title: "keeps its own copy of a key, and copies it out at any position",
    async run(trial) {
      const index = await openFresh(trial);
      const batch = trial.batch(3);
      for (let n = 0; n < 3; n += 1) addKeyed(batch, keyOfNumber(n));
      index.insert(batch, 0, 3);
      batch.keys.fill(0); // The batch is used again: its bytes change.
      for (let n = 0; n < 3; n += 1) {
        sameList(keyBehind(index, n + 1), keyOfNumber(n), `key of ref ${n + 1}`);
        same(index.keyBytes(n + 1), keyOfNumber(n).length, `keyBytes of ref ${n + 1}`);
      }
      sameList(find(trial, index, keysOf(3)), [1, 2, 3], "refs found");
    },
  },
  "has-no-key-for-unknown-refs": {
    title: "has no key for NO_SERIES, for refs never issued and for refs dropped",
    async run(trial) {
      const index = await openFresh(trial);
      insert(trial, index, keysOf(2));
      drop(index, [2]);
      for (const ref of [NO_SERIES, 2, 3, 1000, 2 ** 32 - 1]) {
        same(index.keyBytes(ref), 0, `keyBytes of ref ${ref}`);
        same(keyBehind(index, ref).length, 0, `bytes copied for ref ${ref}`);
      }
    },
  },
  "takes-keys-of-any-size": {
    title:
      "takes keys of 1 byte up to the longest that label limits allow, and prefixes of one another",
    async run(trial) {
      const index = await openFresh(trial);
      const longest = new Uint8Array(64 * (256 + 4096 + 2));
      for (let i = 0; i < longest.length; i += 1) longest[i] = trial.random.below(256);
      const keys = [1, 2, 3, 7, 8, 9, 63, 64, 65, 4096, 65_535, 65_536, 65_537, longest.length].map(
        (length) => longest.slice(0, length),
      );
      sameList(insert(trial, index, keys), refsOf(keys.length), "refs");
      sameList(find(trial, index, keys), refsOf(keys.length), "refs found");
      for (const [i, key] of keys.entries()) sameList(keyBehind(index, i + 1), key, `key ${i}`);
    },
  },
  "refuses-series-above-its-bound": {
    title: "answers LIMIT for new series above seriesMax, and stays as it was",
    async run(trial) {
      const index = await openFresh(trial, { seriesMax: 10 });
      const batch = trial.batch(16);
      for (let n = 0; n < 14; n += 1) addKeyed(batch, keyOfNumber(n));
      addKeyed(batch, keyOfNumber(3));
      same(index.insert(batch, 0, 15), 10, "new series");
      sameList(batch.refs.subarray(0, 15), [...refsOf(10), 0, 0, 0, 0, 4], "refs");
      const expected = [
        ...Array.from({ length: 10 }, () => OPEN),
        LIMIT,
        LIMIT,
        LIMIT,
        LIMIT,
        OPEN,
      ];
      sameList(batch.status.subarray(0, 15), expected, "status");
      same(index.size, 10, "size");
      same(index.nextRef, 11, "nextRef");
      sameList(find(trial, index, keysOf(14)), [...refsOf(10), 0, 0, 0, 0], "refs found");
      drop(index, [5]);
      sameList(insert(trial, index, keysOf(1, 50)), [11], "ref after a drop made room");
    },
  },
  "forgets-what-is-dropped": {
    title: "forgets dropped series for good: their refs never return",
    async run(trial) {
      const index = await openFresh(trial);
      insert(trial, index, keysOf(10));
      drop(index, [3, 7, 10]);
      same(index.size, 7, "size");
      same(index.nextRef, 11, "nextRef");
      sameList(find(trial, index, keysOf(10)), [1, 2, 0, 4, 5, 6, 0, 8, 9, 0], "refs found");
      sameList(insert(trial, index, [keyOfNumber(6), keyOfNumber(9)]), [11, 12], "new refs");
    },
  },
  "ignores-unknown-refs-in-drop": {
    title: "ignores refs that it does not know when dropping, and refs beyond the count",
    async run(trial) {
      const index = await openFresh(trial);
      insert(trial, index, keysOf(4));
      drop(index, [0, 99, 2 ** 32 - 1, 2, 2]);
      index.drop(Uint32Array.of(1, 3, 4), 1);
      sameList(find(trial, index, keysOf(4)), [0, 0, 3, 4], "refs found");
      same(index.size, 2, "size");
    },
  },
  "adopts-the-logs-story": {
    title: "binds adopted keys to their refs, in any order, and issues the next ref above them",
    async run(trial) {
      const index = await trial.open();
      adopt(trial, index, keysOf(3), [50, 7, 20]);
      same(index.nextRef, 51, "nextRef");
      const { dropped } = index.settle(51);
      same(dropped, 0, "entries dropped");
      sameList(find(trial, index, keysOf(3)), [50, 7, 20], "refs found");
      sameList(insert(trial, index, keysOf(1, 10)), [51], "ref of the next new series");
      sameList(keyBehind(index, 7), keyOfNumber(1), "key of ref 7");
    },
  },
  "adopts-again": {
    title: "changes nothing when the same binding is adopted again",
    async run(trial) {
      const index = await trial.open();
      for (let i = 0; i < 3; i += 1) adopt(trial, index, keysOf(5), [1, 2, 3, 4, 5]);
      index.settle(6);
      same(index.size, 5, "size");
      same(index.nextRef, 6, "nextRef");
      sameList(find(trial, index, keysOf(5)), [1, 2, 3, 4, 5], "refs found");
    },
  },
  "rebinds-when-adopting": {
    title: "binds a key that had another ref to the newly adopted one",
    async run(trial) {
      const index = await trial.open();
      adopt(trial, index, keysOf(3), [1, 2, 3]);
      adopt(trial, index, keysOf(1, 1), [9]);
      index.settle(10);
      sameList(find(trial, index, keysOf(3)), [1, 9, 3], "refs found");
      same(index.size, 3, "size");
      same(index.keyBytes(2), 0, "keyBytes of the ref that lost its key");
      sameList(keyBehind(index, 9), keyOfNumber(1), "key of the new ref");
    },
  },
  "settles-above-what-the-log-issued": {
    title: "issues no ref that the log issued: settle raises nextRef, and never lowers it",
    async run(trial) {
      const index = await trial.open();
      adopt(trial, index, keysOf(2), [1, 2]);
      index.settle(100);
      same(index.nextRef, 100, "nextRef");
      sameList(insert(trial, index, keysOf(1, 9)), [100], "ref");
      const other = await trial.open({ ...trial.needs, dir: `${trial.needs.dir}-2` });
      adopt(trial, other, keysOf(1), [40]);
      other.settle(3);
      holds(other.nextRef >= 41, `nextRef stays above adopted refs, got ${other.nextRef}`);
    },
  },
  commits: {
    title: "resolves commit, with and without anything new",
    async run(trial) {
      const index = await openFresh(trial);
      await index.commit(0);
      insert(trial, index, keysOf(10));
      await index.commit(1);
      await index.commit(1);
      sameList(find(trial, index, keysOf(10)), refsOf(10), "refs found");
    },
  },
  grows: {
    title: "finds all of 30,000 keys while it grows, whatever it was told to expect",
    async run(trial) {
      const keys = Array.from({ length: 30_000 }, (_, n) => bytesOf(`key-${n}`));
      for (const [i, seriesExpected] of [0, 10, 30_000].entries()) {
        const index = await openFresh(trial, { seriesExpected, dir: `${trial.needs.dir}-${i}` });
        sameList(insert(trial, index, keys), refsOf(keys.length), "refs");
        sameList(find(trial, index, keys), refsOf(keys.length), "refs found");
        holds(index.stats.bytes > 0, "an index with keys holds bytes");
        await trial.close(index);
      }
    },
  },
});
