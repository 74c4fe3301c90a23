import { keyOf } from "@varve/bytes";
import { cases } from "../case.ts";
import { same, sameList } from "../expect.ts";
import { constantOf, PUBLISHED_PAIR, publishedOf, type KeyHash } from "../hashing.ts";
import { keyOfNumber } from "../rows.ts";
import { adopt, drop, find, insert, keyBehind, none, openFresh, refsOf } from "./index-steps.ts";

/** Hashes that share one word, or sit at the ends of their range. */
const HASHES: Readonly<Record<string, KeyHash>> = {
  constant: constantOf,
  "equal low words": (bytes, from, until, into) => {
    into[0] = 1;
    into[1] = bytes[until - 3]! * 7919 + until - from;
  },
  "equal high words": (bytes, from, until, into) => {
    into[0] = bytes[until - 3]! * 7919 + until - from;
    into[1] = 1;
  },
  "all bits set": (_bytes, _from, _until, into) => into.fill(0xffff_ffff),
  "sign bits": (bytes, from, until, into) => {
    into[0] = 0x8000_0000 + ((bytes[until - 3]! + until - from) % 4);
    into[1] = 0x8000_0000;
  },
  "low word zero": (_bytes, _from, _until, into) => {
    into[0] = 0;
    into[1] = 0x1000;
  },
};

export const indexCollisionCases = cases("series-index", {
  "tells-colliding-keys-apart": {
    title: "tells keys apart whose hashes collide, in one word or in both",
    async run(trial) {
      for (const [i, [name, hashOf]] of Object.entries(HASHES).entries()) {
        const index = await openFresh(trial, { dir: `${trial.needs.dir}-${i}` });
        const keys = Array.from({ length: 300 }, (_, n) => keyOfNumber(n));
        sameList(insert(trial, index, keys, hashOf), refsOf(300), `${name}: refs`);
        sameList(find(trial, index, keys, hashOf), refsOf(300), `${name}: refs found`);
        const others = Array.from({ length: 50 }, (_, n) => keyOfNumber(1000 + n));
        sameList(find(trial, index, others, hashOf), none(50), `${name}: refs of unknown keys`);
        await trial.close(index);
      }
    },
  },
  "drops-one-of-colliding-keys": {
    title: "drops only the series named when their hashes collide, and finds the others",
    async run(trial) {
      const index = await openFresh(trial);
      const keys = Array.from({ length: 100 }, (_, n) => keyOfNumber(n));
      insert(trial, index, keys, constantOf);
      const odd = refsOf(100).filter((ref) => ref % 2 === 1);
      drop(index, odd);
      const expected = refsOf(100).map((ref) => (ref % 2 === 1 ? 0 : ref));
      sameList(find(trial, index, keys, constantOf), expected, "refs found");
      const again = keys.filter((_, n) => n % 2 === 0);
      sameList(insert(trial, index, again, constantOf), refsOf(50, 101), "new refs");
      sameList(keyBehind(index, 101), keys[0]!, "key of ref 101");
    },
  },
  "tells-the-published-pair-apart": {
    title: "tells the label sets apart that are published to collide in xxh64",
    async run(trial) {
      const index = await openFresh(trial);
      const keys = PUBLISHED_PAIR.map((labels) => keyOf(labels));
      sameList(insert(trial, index, keys, publishedOf), [1, 2], "refs");
      sameList(find(trial, index, keys, publishedOf), [1, 2], "refs found");
      sameList(keyBehind(index, 2), keys[1]!, "key of ref 2");
      drop(index, [1]);
      sameList(find(trial, index, keys, publishedOf), [0, 2], "refs found after a drop");
    },
  },
  "adopts-colliding-keys": {
    title: "adopts and rebinds keys whose hashes collide",
    async run(trial) {
      const index = await trial.open();
      const keys = Array.from({ length: 20 }, (_, n) => keyOfNumber(n));
      adopt(trial, index, keys, refsOf(20), constantOf);
      adopt(trial, index, [keys[4]!], [30], constantOf);
      index.settle(31);
      same(index.size, 20, "size");
      const expected = refsOf(20).map((ref) => (ref === 5 ? 30 : ref));
      sameList(find(trial, index, keys, constantOf), expected, "refs found");
    },
  },
});
