import { NO_REGION, type Allocator, type Region } from "@varve/contracts";
import { cases } from "../case.ts";
import { holds, same } from "../expect.ts";

/** Sizes that allocators round in different ways, in bytes. */
const SIZES = [1, 2, 7, 8, 63, 64, 65, 100, 128, 500, 1024, 4095, 4096, 4097, 10_000, 65_536];
const KIB = 1024;

/** What an allocator promises. */
export const allocatorCases = cases("allocator", {
  "gives-room": {
    title: "gives regions of at least the bytes asked for, inside their array",
    async run(trial) {
      const allocator = await trial.open();
      for (const bytes of SIZES) checkRoom(allocator, allocator.acquire(bytes), bytes);
    },
  },
  "keeps-regions-apart": {
    title: "never lets two live regions overlap",
    async run(trial) {
      const allocator = await trial.open();
      const marks = new Map<Region, number>();
      for (let i = 0; i < 3000; i += 1) {
        if (marks.size > 200 || (marks.size > 0 && trial.random.chance(0.4))) {
          const region = trial.random.pick([...marks.keys()]);
          checkMark(allocator, region, marks.get(region)!);
          allocator.release(region);
          marks.delete(region);
          continue;
        }
        const region = allocator.acquire(trial.random.pick(SIZES));
        if (region === NO_REGION) continue; // Bounds have a case of their own.
        holds(!marks.has(region), `region ${region} is handed out once at a time`);
        const mark = i % 251;
        const at = allocator.at(region);
        allocator.bytes(region).fill(mark, at, at + allocator.capacity(region));
        marks.set(region, mark);
      }
      for (const [region, mark] of marks) checkMark(allocator, region, mark);
    },
  },
  "answers-no-region-at-its-bound": {
    title:
      "answers NO_REGION when live and retained bytes would pass the bound, and serves again after a release",
    async run(trial) {
      const bytesMax = 256 * KIB;
      const allocator = await trial.open({ bytesMax });
      const regions: Region[] = [];
      for (let i = 0; i < 1000; i += 1) {
        const region = allocator.acquire(KIB);
        if (region === NO_REGION) break;
        regions.push(region);
        const { liveBytes, retainedBytes } = allocator.stats;
        holds(
          liveBytes + retainedBytes <= bytesMax,
          `${liveBytes} + ${retainedBytes} <= ${bytesMax}`,
        );
      }
      holds(regions.length <= 256, `256 regions of 1 KiB fit 256 KiB, got ${regions.length}`);
      holds(
        regions.length >= 64,
        `a bound of 256 KiB serves 64 KiB at least, got ${regions.length}`,
      );
      same(allocator.acquire(KIB), NO_REGION, "acquire at the bound");
      same(allocator.stats.live, regions.length, "live after a refusal");
      allocator.release(regions.pop()!);
      holds(allocator.acquire(KIB) !== NO_REGION, "a release makes room for a region of its size");
    },
  },
  "refuses-what-can-never-fit": {
    title: "answers NO_REGION for more bytes than its bound",
    async run(trial) {
      const allocator = await trial.open({ bytesMax: 64 * KIB });
      same(allocator.acquire(64 * KIB + 1), NO_REGION, "acquire of more than the bound");
      same(
        allocator.acquireMany(65 * KIB, 3, new Uint32Array(3)),
        0,
        "acquireMany of more than the bound",
      );
      same(allocator.stats.live, 0, "live regions");
    },
  },
  "acquires-many-at-once": {
    title: "fills `into` with as many regions as it reports, and leaves the rest of it alone",
    async run(trial) {
      const allocator = await trial.open();
      const into = new Uint32Array(100).fill(0xffff_ffff);
      const batches = allocator.stats.batches;
      same(allocator.acquireMany(100, 64, into), 64, "regions acquired");
      same(allocator.stats.batches, batches + 1, "batches counted");
      same(new Set(into.subarray(0, 64)).size, 64, "different regions");
      for (let i = 0; i < 64; i += 1) checkRoom(allocator, into[i]!, 100);
      for (let i = 64; i < 100; i += 1) same(into[i], 0xffff_ffff, `into[${i}]`);
      same(allocator.acquireMany(100, 0, into), 0, "regions acquired when none is wanted");
      same(allocator.stats.live, 64, "live regions");
    },
  },
  "acquires-fewer-at-its-bound": {
    title: "acquireMany gets what still fits, and says how many",
    async run(trial) {
      const allocator = await trial.open({ bytesMax: 256 * KIB });
      const into = new Uint32Array(1000);
      const count = allocator.acquireMany(KIB, 1000, into);
      holds(count >= 64 && count <= 256, `64 to 256 regions of 1 KiB fit 256 KiB, got ${count}`);
      same(allocator.stats.live, count, "live regions");
      for (let i = 0; i < count; i += 1) checkRoom(allocator, into[i]!, KIB);
      same(into[count], 0, "into after the last region");
    },
  },
  "counts-truthfully": {
    title: "counts live regions, live bytes and acquisitions as they are",
    async run(trial) {
      const allocator = await trial.open();
      const live = new Map<Region, number>();
      let acquired = 0;
      for (let i = 0; i < 2000; i += 1) {
        if (live.size > 0 && trial.random.chance(0.45)) {
          const region = trial.random.pick([...live.keys()]);
          allocator.release(region);
          live.delete(region);
        } else {
          const bytes = trial.random.pick(SIZES);
          const region = allocator.acquire(bytes);
          if (region === NO_REGION) continue;
          acquired += 1;
          live.set(region, bytes);
        }
        const { stats } = allocator;
        same(stats.live, live.size, "live");
        same(stats.acquired, acquired, "acquired");
        holds(stats.hits <= acquired, `hits are acquisitions, got ${stats.hits} of ${acquired}`);
        if (i % 50 !== 0) continue;
        const asked = [...live.values()].reduce((sum, bytes) => sum + bytes, 0);
        holds(
          stats.liveBytes >= asked,
          `live bytes cover what was asked for: ${stats.liveBytes} >= ${asked}`,
        );
      }
      for (const region of live.keys()) allocator.release(region);
      same(allocator.stats.live, 0, "live after all were released");
      same(allocator.stats.liveBytes, 0, "live bytes after all were released");
    },
  },
  "hands-out-again": {
    title: "hands released regions out again, and counts the hits",
    applies: ({ traits }) => traits.recycles,
    async run(trial) {
      const allocator = await trial.open();
      const first = Array.from({ length: 50 }, () => allocator.acquire(128));
      const places = new Set(first.map((region) => placeOf(allocator, region)));
      for (const region of first) allocator.release(region);
      holds(allocator.stats.retainedBytes > 0, "released regions are kept for reuse");
      const second = Array.from({ length: 50 }, () => allocator.acquire(128));
      const again = second.filter((region) => places.has(placeOf(allocator, region))).length;
      holds(again > 0, "a released region is handed out again");
      holds(allocator.stats.hits > 0, `reuse counts as a hit, got ${allocator.stats.hits}`);
    },
  },
  "never-hands-out-again": {
    title: "never hands a released region out again",
    applies: ({ traits }) => !traits.recycles,
    async run(trial) {
      const allocator = await trial.open();
      const seen = new Map<Uint8Array, Set<number>>();
      for (let i = 0; i < 200; i += 1) {
        const region = allocator.acquire(128);
        const bytes = allocator.bytes(region);
        const at = allocator.at(region);
        holds(!(seen.get(bytes)?.has(at) ?? false), `region ${region} lies where none was before`);
        seen.set(bytes, (seen.get(bytes) ?? new Set()).add(at));
        allocator.release(region);
      }
      same(allocator.stats.hits, 0, "hits");
      same(allocator.stats.retainedBytes, 0, "bytes kept for reuse");
    },
  },
  "lies-in-the-linear-memory": {
    title: "keeps its regions in the linear memory, where kernels reach them",
    applies: ({ traits }) => traits.linear,
    async run(trial) {
      const allocator = await trial.open();
      for (const bytes of SIZES) {
        const { buffer } = allocator.bytes(allocator.acquire(bytes));
        holds(
          buffer === trial.needs.memory.wasm.buffer,
          `a region of ${bytes} bytes shares the memory's buffer`,
        );
      }
    },
  },
  "lies-outside-the-linear-memory": {
    title: "keeps its regions outside the linear memory",
    applies: ({ traits }) => !traits.linear,
    async run(trial) {
      const allocator = await trial.open();
      for (const bytes of SIZES) {
        const { buffer } = allocator.bytes(allocator.acquire(bytes));
        holds(
          buffer !== trial.needs.memory.wasm.buffer,
          `a region of ${bytes} bytes has memory of its own`,
        );
      }
    },
  },
});

function checkRoom(allocator: Allocator, region: Region, bytes: number): void {
  holds(region !== NO_REGION, `there is a region of ${bytes} bytes`);
  const capacity = allocator.capacity(region);
  holds(capacity >= bytes, `a region of ${bytes} bytes has them, got ${capacity}`);
  const at = allocator.at(region);
  const { length } = allocator.bytes(region);
  holds(
    at >= 0 && at + capacity <= length,
    `${at} + ${capacity} bytes lie inside the ${length} of the array`,
  );
}

function checkMark(allocator: Allocator, region: Region, mark: number): void {
  const bytes = allocator.bytes(region);
  const at = allocator.at(region);
  for (let i = at; i < at + allocator.capacity(region); i += 1) {
    if (bytes[i] !== mark) same(bytes[i], mark, `byte ${i - at} of region ${region}`);
  }
}

const arrays = new WeakMap<object, number>();
let arrayCount = 0;

/** A name for where a region lies: the memory behind its array, and the position there. */
function placeOf(allocator: Allocator, region: Region): string {
  const { buffer, byteOffset } = allocator.bytes(region);
  let number = arrays.get(buffer);
  if (number === undefined) arrays.set(buffer, (number = arrayCount++));
  return `${number}@${byteOffset + allocator.at(region)}`;
}
