import { casesOf, runCases, type TrialOptions } from "@varve/conformance";
import { keyOf } from "@varve/bytes";
import { ACCEPTED, NO_REGION, StorageError, type Slot, type Variant } from "@varve/contracts";
import { describe, expect, test } from "vitest";
import { altered, claiming } from "./altered.ts";
import {
  dullAllocator,
  dullBlocks,
  dullChunk,
  dullId,
  dullIndex,
  dullKey,
  dullLocks,
  dullPostings,
  dullRecord,
  dullWal,
  spinLocks,
} from "./dull/index.ts";
import { hashIndex, wrongChunk } from "./dull/wrong.ts";

/** Says which case finds out what is wrong with a variant. */
function finds<S extends Slot>(
  what: string,
  variant: Variant<S>,
  id: string,
  options: TrialOptions = {},
): void {
  test(`${id} fails ${what}`, async () => {
    const cases = casesOf<S>(variant.slot as S).filter((each) => each.id === id);
    expect(cases).toHaveLength(1);
    const [result] = await runCases(variant, { ...options, cases });
    expect(result?.passed, "the case applies, and fails").toBe(false);
    expect(result?.failure?.message).toContain(`breaks ${id} (seed 1)`);
  });
}

describe("label-key", () => {
  const sorting = altered(dullKey(), () => ({
    encode(labels, batch, row) {
      const parts = Object.entries(labels)
        .filter(([, value]) => value !== "")
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => keyOf({ [name]: value }));
      const key = Buffer.concat(parts);
      batch.reserveKey(row, key.length);
      batch.keys.set(key, batch.keyAt[row]);
      batch.keyAt[row + 1] = batch.keyAt[row]! + key.length;
    },
  }));
  finds(
    "an encoder that orders names by UTF-16 units",
    sorting,
    "label-key/writes-the-canonical-key",
  );
  finds("an encoder that takes anything", sorting, "label-key/refuses-bad-labels");
  const careless = altered(
    dullKey(),
    (part) => ({
      encode: (labels, batch, row) =>
        part.encode({ ...Object.create(labels), ...labels }, batch, row),
    }),
    ({ limits }) => ({ limits: { ...limits, valueBytesMax: limits.valueBytesMax + 1 } }),
  );
  finds("an encoder with limits one byte too high", careless, "label-key/keeps-to-its-limits");
  const names = new WeakMap<object, string[]>();
  const remembering = altered(dullKey(), (part) => ({
    encode(labels, batch, row) {
      const known = names.get(labels) ?? Object.keys(labels);
      names.set(labels, known);
      const seen = known.map((name) => [name, labels[name] ?? ""]);
      part.encode(Object.fromEntries(seen) as Record<string, string>, batch, row);
    },
  }));
  finds(
    "an encoder that remembers an object's names",
    remembering,
    "label-key/sees-changed-labels",
  );
});

describe("series-id", () => {
  const short = altered(dullId(), (part) => ({
    hash(batch, from, until) {
      for (let row = from; row < until; row += 1) {
        const end = batch.keyAt[row + 1]!;
        batch.keyAt[row + 1] = Math.min(end, batch.keyAt[row]! + 16);
        part.hash(batch, row, row + 1);
        batch.keyAt[row + 1] = end;
      }
    },
  }));
  finds("a hasher that reads the first 16 bytes", short, "series-id/depends-on-every-byte");
  const eager = altered(dullId(), (part) => ({
    hash: (batch) => part.hash(batch, 0, batch.length),
  }));
  finds("a hasher that hashes every row", eager, "series-id/hashes-its-range-only");
  const unseeded = altered(
    dullId(),
    () => ({}),
    () => ({ seed: { low: 1, high: 1 } }),
  );
  finds("a hasher that ignores its seed", unseeded, "series-id/depends-on-its-seed");
  finds(
    "a hasher that calls itself stable",
    claiming(dullId(), { stable: true }),
    "series-id/gives-stable-hash",
  );
});

describe("series-index", () => {
  finds("an index that trusts hashes", hashIndex(), "series-index/tells-colliding-keys-apart");
  finds("an index that trusts hashes", hashIndex(), "series-index/tells-the-published-pair-apart");
  const unsettled = altered(dullIndex(), () => ({
    settle: () => ({ rebuilt: false, reason: "", dropped: 0 }),
  }));
  finds(
    "an index that issues refs again",
    unsettled,
    "series-index/settles-above-what-the-log-issued",
  );
  const wide = altered(dullIndex(), (part) => ({
    insert: (batch) => part.insert(batch, 0, batch.length),
  }));
  finds("an index that inserts every row", wide, "series-index/stays-in-its-range");
  const unbounded = altered(
    dullIndex(),
    () => ({}),
    (needs) => ({ ...needs, seriesMax: 1e9 }),
  );
  finds("an index without a bound", unbounded, "series-index/refuses-series-above-its-bound");
  const hoarding = altered(dullIndex(), () => ({ drop() {} }));
  finds("an index that forgets nothing", hoarding, "series-index/forgets-what-is-dropped");
  const generous = altered(dullIndex(), (part) => ({
    insert(batch, from, until) {
      let count = 0;
      for (let row = from; row < until; row += 1) count += part.insert(batch, row, row + 1);
      return until - from > 1 ? count + 1 : count;
    },
  }));
  finds("an index that miscounts new series", generous, "series-index/does-as-a-map-does");
  const lying = claiming(dullIndex(), { persistent: true });
  finds(
    "an index that calls itself persistent",
    lying,
    "series-index/drops-entries-that-the-log-never-issued",
  );
});

describe("postings", () => {
  const hoarding = altered(dullPostings(), () => ({ drop() {} }));
  finds("postings that trust the index", hoarding, "postings/believes-drop-before-the-index");
  const greedy = altered(dullPostings(), (part) => ({
    drop: (refs) => part.drop(refs, refs.length),
  }));
  finds("postings that drop refs beyond the count", greedy, "postings/ignores-unknown-drops");
  const literal = altered(dullPostings(), (part) => ({
    select: (matchers) => {
      const has = (name: string): boolean => part.labelNames([]).includes(name);
      return matchers.every(({ name }) => has(name)) ? part.select(matchers) : new Uint32Array(0);
    },
  }));
  finds("postings that need every label", literal, "postings/takes-a-missing-label-for-empty");
  const trusting = altered(dullPostings(), (part) => ({
    select: (matchers) =>
      part.select(
        matchers.map((each) => {
          const { values } = each;
          return values === undefined
            ? each
            : { ...each, matches: (text) => values.includes(text) };
        }),
      ),
  }));
  finds("postings that trust values", trusting, "postings/heeds-known-values-and-prefixes");
  const sorting = altered(dullPostings(), (part) => ({
    labelValues: (name, matchers) => part.labelValues(name, matchers).sort(),
  }));
  finds("postings that order by UTF-16 units", sorting, "postings/lists-names-and-values");
  const answers = new Map<string, Uint32Array>();
  const sharing = altered(dullPostings(), (part) => ({
    select(matchers) {
      const key = matchers.map(({ name, kind, value }) => name + kind + value).join();
      const known = answers.get(key) ?? part.select(matchers);
      answers.set(key, known);
      return known;
    },
  }));
  finds("postings that hand out their own arrays", sharing, "postings/gives-arrays-away");
  const descending = altered(dullPostings(), (part) => ({
    select: (matchers) => part.select(matchers).reverse(),
  }));
  finds("postings that descend", descending, "postings/takes-keys-in-any-order");
  const partial = altered(dullPostings(), (part) => ({
    select: (matchers) => part.select(matchers.slice(0, 2)),
  }));
  finds("postings that heed two matchers", partial, "postings/does-as-a-filter-does");
  const swollen = altered(dullPostings(), () => {
    let bytes = 0;
    return {
      add(batch) {
        bytes += batch.length;
      },
      get stats() {
        return { series: 0, pairs: 0, caughtUp: 0, listsRead: 0, bytes: bytes * 100 };
      },
    };
  });
  finds("postings that only grow", swollen, "postings/gives-memory-back");
  finds("postings that fill lists unasked", swollen, "postings/adds-nothing-unasked");
  const lying = claiming(dullPostings(), { eager: true });
  finds("postings that claim to be eager", lying, "postings/adds-at-once");
  const blind = altered(
    dullPostings(),
    () => ({}),
    ({ keys }) => {
      const first = keys.nextRef;
      return {
        keys: {
          ...keys,
          nextRef: first,
          keyBytes: (ref) => keys.keyBytes(ref),
          copyKey: (ref, into, at) => keys.copyKey(ref, into, at),
        },
      };
    },
  );
  finds("postings that look at the store once", blind, "postings/knows-what-the-store-knows");
});

describe("record", () => {
  const eager = altered(dullRecord(), (part) => ({
    encode(batch, from, until, into) {
      const status = batch.status.slice();
      batch.status.fill(ACCEPTED);
      part.encode(batch, from, until, into);
      batch.status.set(status);
    },
  }));
  finds("a codec that logs refused rows", eager, "record/encodes-accepted-rows-only");
  const quiet = altered(dullRecord(), (part) => ({
    decode: (bytes, from, until, visitor) =>
      part.decode(bytes, from, until, {
        series: (...told) => visitor.series(...told),
        samples: (refs, times, values, count) =>
          visitor.samples(
            refs,
            times,
            Float64Array.from([...values].map((value) => value + 0)),
            count,
          ),
      }),
  }));
  finds("a codec that quiets NaNs", quiet, "record/keeps-every-bit");
  const trusting = altered(dullRecord(), (part) => ({
    decode: (bytes, from, until, visitor) =>
      part.decode(bytes, from, Math.max(until, from + 14), visitor),
  }));
  finds("a codec that reads past the record", trusting, "record/refuses-malformed-records");
  const lying = claiming(dullRecord(), { prometheusReadable: true });
  finds("a codec that calls itself readable", lying, "record/writes-what-prometheus-reads");
});

describe("wal", () => {
  finds("a log", dullWal("loses the last batch"), "wal/tells-what-was-appended");
  finds("a log", dullWal("never syncs"), "wal/acknowledges-as-durable");
  finds("a log", dullWal("never checks checksums"), "wal/never-tells-damaged-bytes");
  finds("a log", dullWal("retries a failed sync"), "wal/is-poisoned-by-a-failed-sync");
  finds("a log", dullWal("never syncs names"), "wal/tells-whole-batches-after-a-crash");
  finds("a log", dullWal("ignores short writes"), "wal/takes-short-writes-and-reads");
  finds("a log", dullWal("keeps what it refused"), "wal/survives-a-full-disk");
  finds("a log", dullWal("writes a batch in halves"), "wal/tells-whole-batches-after-a-crash");
  finds("a log", dullWal("forgets the numbers"), "wal/goes-on-when-reopened");
  finds("a log", dullWal("skips empty records"), "wal/takes-records-of-any-size");
  finds("a log", dullWal("is not poisoned by a write"), "wal/is-poisoned-by-a-failed-write");
  finds("a log", dullWal("appends behind a torn tail"), "wal/tells-whole-batches-after-a-crash");
  const eager = claiming(dullWal(), { acknowledges: "accepted" });
  finds("a log that calls its batches accepted", eager, "wal/acknowledges-as-accepted");
  const volatile = claiming(dullWal(), { persistent: false });
  finds("a log that calls itself volatile", volatile, "wal/keeps-nothing");
});

describe("allocator", () => {
  const twice = altered(dullAllocator(), (part) => {
    let last = NO_REGION;
    let calls = 0;
    return {
      acquire(bytes) {
        calls += 1;
        const isRepeated = calls % 50 === 0 && part.bytes(last) !== undefined;
        return isRepeated ? last : (last = part.acquire(bytes));
      },
    };
  });
  finds("an allocator that hands a region out twice", twice, "allocator/keeps-regions-apart");
  const unbounded = altered(
    dullAllocator(),
    () => ({}),
    (needs) => ({ ...needs, bytesMax: 1e9 }),
  );
  finds("an allocator without a bound", unbounded, "allocator/answers-no-region-at-its-bound");
  const small = altered(dullAllocator(), (part) => ({
    acquire: (bytes) => part.acquire(Math.max(1, bytes & ~7)),
  }));
  finds("an allocator that rounds down", small, "allocator/gives-room");
  const boastful = altered(dullAllocator(), (part) => ({
    get stats() {
      return { ...part.stats, live: part.stats.acquired };
    },
  }));
  finds("an allocator that miscounts", boastful, "allocator/counts-truthfully");
  finds(
    "an allocator that calls itself linear",
    claiming(dullAllocator(), { linear: true }),
    "allocator/lies-in-the-linear-memory",
  );
  finds(
    "an allocator that claims to recycle",
    claiming(dullAllocator(), { recycles: true }),
    "allocator/hands-out-again",
  );
});

describe("chunk", () => {
  finds("a codec", wrongChunk("quiets NaNs"), "chunk/keeps-every-bit");
  finds("a codec", wrongChunk("writes before it refuses"), "chunk/refuses-at-its-capacity");
  finds("a codec", wrongChunk("trusts lengths"), "chunk/never-reads-outside");
  finds("a codec", wrongChunk("reads its own header"), "chunk/decodes-what-was-appended");
  finds("a codec", wrongChunk("keeps state of its own"), "chunk/keeps-appenders-apart");
  finds("a codec", wrongChunk("overflows its count"), "chunk/states-counts-truthfully");
  finds(
    "a codec that calls itself XOR",
    claiming(dullChunk(), { encoding: 1 }),
    "chunk/follows-the-xor-vectors",
  );
});

describe("block-manager", () => {
  finds(
    "a store",
    dullBlocks("forgets to forget a withdrawn row"),
    "block-manager/forgets-what-is-withdrawn",
  );
  finds("a store", dullBlocks("compares values as numbers"), "block-manager/compares-bits");
  finds("a store", dullBlocks("shows later writes in a pin"), "block-manager/hides-later-writes");
  finds(
    "a store",
    dullBlocks("claims what is not durable"),
    "block-manager/tells-the-truth-about-durability",
  );
  finds(
    "a store",
    dullBlocks("includes the end of a range"),
    "block-manager/reads-half-open-ranges",
  );
  finds(
    "a store",
    dullBlocks("sees nothing of its own batch"),
    "block-manager/sees-earlier-rows-of-a-batch",
  );
  finds(
    "a store",
    dullBlocks("loses what it cannot write"),
    "block-manager/keeps-data-when-writing-fails",
  );
  finds("a store", dullBlocks("decides rows twice"), "block-manager/leaves-decided-rows-alone");
  finds(
    "a store",
    dullBlocks("forgets its last times when reopened"),
    "block-manager/goes-on-when-reopened",
  );
  const lying = claiming(dullBlocks(), { persistsInAppend: true });
  finds("a store that claims to write in append", lying, "block-manager/writes-in-append");
});

describe("locks", () => {
  const entry = { url: new URL("dull/wrong.ts", import.meta.url).href, export: "openLocks" };
  const open = claiming(dullLocks(), { excludes: true });
  finds("a lock that locks nobody out", open, "locks/excludes-threads", { entry });
  finds("a lock that nobody sees", open, "locks/is-seen-by-other-threads");
  const shy = claiming(spinLocks(), { excludes: false });
  finds("a lock that claims to exclude nobody", shy, "locks/excludes-nobody");
});

describe("a failure that is no failure of the part", () => {
  test("is reported with its cause, and ends nothing", async () => {
    const full: Variant<"locks"> = {
      ...dullLocks(),
      open: () => {
        throw new StorageError("LIMIT", "no room");
      },
    };
    const results = await runCases(full);
    expect(results.length).toBeGreaterThan(1);
    for (const { failure } of results) expect(failure?.cause).toBeInstanceOf(StorageError);
  });
});
