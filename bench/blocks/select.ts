import { makeColumns, makeRandom } from "@varve/bytes";
import { xorChunk } from "@varve/chunk/xor";
import type { Matcher } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { equal } from "@varve/matcher";
import { type BlockReader, openBlock, pageCache } from "@varve/prometheus-block";
import { CPU_FIELDS } from "@varve/workload";
import assert from "node:assert/strict";
import { percentile, type SelectResult, spreadOf } from "./results.ts";
import type { Job } from "./spec.ts";
import { blockDir } from "./write.ts";

/** A way to choose series by two labels, of which the second depends on the host. */
interface Kind {
  readonly labels: string;
  readonly second: (block: BlockReader, hostname: string, draw: number) => Matcher;
  readonly series: number;
}

const KINDS: readonly Kind[] = [
  {
    labels: "hostname, __name__",
    second: (_, __, draw) => equal("__name__", CPU_FIELDS[draw % CPU_FIELDS.length]!),
    series: 1,
  },
  {
    labels: "hostname, service_environment",
    second: (block, hostname) =>
      equal("service_environment", labelOf(block, hostname, "service_environment")),
    series: CPU_FIELDS.length,
  },
];

/** Puts exact selections by two labels to the large block, and reads what they choose. */
export async function measureSelect({ dir, sizes, seed }: Job): Promise<SelectResult[]> {
  const results: SelectResult[] = [];
  const codec = await xorChunk().open({});
  for (const kind of KINDS) {
    const cache = pageCache();
    const place = blockDir(dir, "integers");
    const block = await openBlock({ disk: nodeDisk(), dir: place, cache, codec });
    const selections = draw(kind, block, sizes.selections, seed);
    const times = new Float64Array(selections.length);
    run(kind, block, selections, sizes.samples, times); // Warms up.
    const passes: Float64Array[] = [];
    const { hits, misses } = cache;
    for (let pass = 0; pass < sizes.passes; pass += 1) {
      run(kind, block, selections, sizes.samples, times);
      passes.push(times.toSorted());
    }
    const asked = cache.hits - hits + cache.misses - misses;
    results.push({
      labels: kind.labels,
      selections: selections.length,
      series: kind.series,
      samples: kind.series * sizes.samples,
      p50Ms: spreadOf(passes.map((sorted) => percentile(sorted, 0.5))),
      p99Ms: spreadOf(passes.map((sorted) => percentile(sorted, 0.99))),
      maxMs: spreadOf(passes.map((sorted) => percentile(sorted, 1))),
      hits: asked === 0 ? 1 : (cache.hits - hits) / asked,
    });
    block.close();
  }
  return results;
}

/** Draws selections of random hosts, each with a label more. */
function draw(kind: Kind, block: BlockReader, count: number, seed: number): Matcher[][] {
  const random = makeRandom(seed);
  const hosts = Math.floor(block.seriesCount / CPU_FIELDS.length);
  return Array.from({ length: count }, () => {
    const hostname = `host_${random.below(hosts)}`;
    return [equal("hostname", hostname), kind.second(block, hostname, random.word())];
  });
}

function labelOf(block: BlockReader, hostname: string, name: string): string {
  const series = block.select([equal("hostname", hostname)]);
  assert(series.next(), `the block has series of ${hostname}`);
  return series.labels()[name]!;
}

/** Runs all selections, leaves the time of each in milliseconds, and checks what they found. */
function run(
  kind: Kind,
  block: BlockReader,
  selections: readonly Matcher[][],
  samples: number,
  times: Float64Array,
): void {
  const columns = makeColumns({ capacity: kind.series * samples });
  for (let i = 0; i < selections.length; i += 1) {
    columns.length = 0;
    let found = 0;
    const begin = performance.now();
    const series = block.select(selections[i]!);
    while (series.next()) {
      series.read(block.minTime, block.maxTime, columns);
      found += 1;
    }
    times[i] = performance.now() - begin;
    assert.equal(found, kind.series);
    assert.equal(columns.length, kind.series * samples);
  }
}
