import { devopsSeries, type DevopsLabels } from "@varve/workload";
import type { Engine } from "varve";
import { setImmediate as turn } from "node:timers/promises";
import { collect } from "../../blocks/memory.ts";
import {
  countWritten,
  FIRST_MS,
  nothingWritten,
  openStore,
  settle,
  SLICE_ROWS,
  verify,
} from "../store.ts";
import type { Work } from "../work.ts";

/** Fewest bytes of a key. Shorter ones of the workload are made as long. */
const KEY_BYTES = 188;
const COLLECTIONS = 3;
/** Budget of a turn of maintenance, in milliseconds, and turns in which nothing happens before it counts as done. */
const TURN_MS = 50;
const QUIET_TURNS = 5;

/** What a series takes that has one chunk begun. */
export const memory: Work = {
  about:
    "(RSS full - RSS empty) / series, each after three collections of garbage; label objects are made one by one and kept by " +
    "nobody; keys have 188 bytes or a little more; empty is the store just opened",
  durability: "written in groups",
  tasks: () => [{ id: "series" }],
  rows: () => [
    target("a series, postings unbuilt", "unbuilt"),
    target("a series, postings built", "built"),
    { what: "mean bytes of a key", unit: "B", task: "series", figure: "keyBytes" },
    { what: "of it V8's heap, built", unit: "B", task: "series", figure: "heap" },
  ],
  measure: async (_task, { sizes, dir }) => {
    const { seed, memorySeries: series } = sizes;
    await using engine = await openStore(dir);
    const empty = await resident();
    const heapEmpty = process.memoryUsage().heapTotal;
    const labels = devopsSeries({ seed, series });
    let keyBytes = 0;
    for (let done = 0; done < series; done += SLICE_ROWS) {
      keyBytes += writeNext(engine, labels, Math.min(SLICE_ROWS, series - done));
      await turn();
    }
    await settle(engine);
    await quiet(engine);
    if (engine.stats().postings.series > 0)
      throw new Error("postings are built before anybody asks");
    const unbuilt = await resident();
    await engine.seriesCount({ __name__: "cpu_usage_user" });
    await quiet(engine);
    const { series: listed } = engine.stats().postings;
    if (listed !== series) throw new Error(`postings hold ${listed} of ${series} series`);
    const built = await resident();
    const heap = process.memoryUsage().heapTotal - heapEmpty;
    const written = nothingWritten();
    written.series = series;
    countWritten(written, series, FIRST_MS, 1);
    await verify(engine, written);
    return {
      unbuilt: (unbuilt - empty) / series,
      built: (built - empty) / series,
      keyBytes: keyBytes / series,
      heap: heap / series,
    };
  },
};

function target(what: string, figure: string) {
  const must = { op: "<=", limit: 600 } as const;
  return { what, unit: "B", task: "series", figure, must, aim: { op: "<=", limit: 400 } } as const;
}

/** Writes a sample of each of the next series, and returns how many bytes their keys have. */
function writeNext(engine: Engine, labels: Iterator<DevopsLabels>, count: number): number {
  let bytes = 0;
  for (let i = 0; i < count; i += 1) {
    const next: DevopsLabels = labels.next().value;
    const length = keyBytesOf(next);
    const missing = Math.max(0, KEY_BYTES - length);
    const hostname = next.hostname + "-".repeat(missing);
    engine.write({ ...next, hostname }, FIRST_MS, 1);
    bytes += length + missing;
  }
  return bytes;
}

/** Bytes of a key of ASCII labels: each name and value is followed by a byte. */
function keyBytesOf(labels: DevopsLabels): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(labels) as [string, string][]) {
    bytes += name.length + value.length + 2;
  }
  return bytes;
}

async function resident(): Promise<number> {
  let bytes = 0;
  for (let i = 0; i < COLLECTIONS; i += 1) {
    bytes = collect();
    await turn(); // What is finalized gives its memory back.
  }
  return bytes;
}

/** Lets maintenance do what there is to do. */
async function quiet(engine: Engine): Promise<void> {
  for (let still = 0, before = -1; still < QUIET_TURNS;) {
    const report = await engine.maintain(TURN_MS);
    const { series } = engine.stats().postings;
    still = report.isBusy || report.pending > 0 || series !== before ? 0 : still + 1;
    before = series;
  }
}
