import type { BlockReader, NameCount } from "@varve/prometheus-block";
import { bytes, time, visible, whole } from "../print/format.ts";
import { facts, table } from "../print/table.ts";
import { openBlockAt } from "../store/block.ts";
import type { Inspected } from "./inspected.ts";

/** Labels that are listed. */
const NAMES_MAX = 20;

/** One block in numbers. */
export interface BlockSummary {
  readonly id: string;
  readonly minTime: number;
  readonly maxTime: number;
  readonly level: number;
  readonly series: number;
  readonly chunks: number;
  readonly samples: number;
  readonly tombstones: number;
  readonly bytes: number;
}

/** Says what a block holds. Throws BLOCK_CORRUPT when it cannot be opened. */
export async function inspectBlock(dir: string): Promise<Inspected> {
  const block = await openBlockAt(dir);
  try {
    const labels = [...block.nameCounts()].map(({ name, values }) => ({ name, values }));
    const { sources, parents = [] } = block.meta.compaction;
    const value = { kind: "block", dir, ...summaryOf(block), sources, parents, labels };
    return { value, text: () => textOf(dir, value, labels) };
  } finally {
    block.close();
  }
}

/** The numbers of an open block. */
export function summaryOf(block: BlockReader): BlockSummary {
  const { meta, id, minTime, maxTime, bytes: size } = block;
  const { numSeries, numChunks, numSamples, numTombstones } = meta.stats;
  return {
    id,
    minTime,
    maxTime,
    level: meta.compaction.level,
    series: numSeries,
    chunks: numChunks,
    samples: numSamples,
    tombstones: numTombstones,
    bytes: size,
  };
}

function textOf(dir: string, block: BlockSummary, labels: readonly NameCount[]): string {
  const most = labels.toSorted((a, b) => b.values - a.values).slice(0, NAMES_MAX);
  return [
    facts([
      ["block", dir],
      ["from", time(block.minTime)],
      ["until", time(block.maxTime)],
      ["level", String(block.level)],
      ["series", whole(block.series)],
      ["chunks", whole(block.chunks)],
      ["samples", whole(block.samples)],
      ["tombstones", whole(block.tombstones)],
      ["size", bytes(block.bytes)],
    ]),
    "",
    table(
      [{ head: "label" }, { head: "values", align: "right" }],
      most.map(({ name, values }) => [visible(name), whole(values)]),
    ),
  ].join("\n");
}
