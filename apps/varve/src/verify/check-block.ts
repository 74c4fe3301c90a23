import { makeColumns } from "@varve/bytes";
import { isStorageError, type Pause, type SampleColumns } from "@varve/contracts";
import type { BlockReader, RawSeries } from "@varve/prometheus-block";
import { openBlockAt } from "../store/block.ts";
import type { Finding } from "./report.ts";

/** Damage of one block after which the rest is not listed. */
const FINDINGS_MAX = 20;

/** What a block was found to hold. */
export interface BlockCheck {
  readonly series: number;
  readonly chunks: number;
  readonly samples: number;
  readonly findings: readonly Finding[];
}

/**
 * Reads all of a block: every section, series and chunk against its checksum, samples against the times that the
 * index gives, and all counts against `meta.json`. Changes nothing.
 */
export async function checkBlock(dir: string, pause: Pause): Promise<BlockCheck> {
  const check = new Check(dir);
  try {
    const block = await openBlockAt(dir);
    try {
      await check.run(block, pause);
    } finally {
      block.close();
    }
  } catch (error) {
    check.caught(error);
  }
  return check;
}

class Check implements BlockCheck {
  series = 0;
  chunks = 0;
  samples = 0;
  readonly findings: Finding[] = [];
  readonly #dir: string;
  readonly #columns = makeColumns();

  constructor(dir: string) {
    this.#dir = dir;
  }

  async run(block: BlockReader, pause: Pause): Promise<void> {
    const codecEncoding = 1; // Prometheus' XOR; others are checked by their checksum alone.
    const cursor = block.allSeries();
    while (cursor.next()) {
      this.series += 1;
      for (let chunk = 0; chunk < cursor.chunkCount; chunk += 1) {
        this.#checkChunk(cursor, chunk, codecEncoding);
        if (this.findings.length >= FINDINGS_MAX) return;
      }
      const turn = pause();
      if (turn !== undefined) await turn;
    }
    for (const pair of block.pairCounts())
      if (pair.series === 0) this.#add(`no series carries ${pair.name}`);
    this.#checkCounts(block);
  }

  /** Damage is a finding; anything else is the caller's. */
  caught(error: unknown): void {
    if (!isStorageError(error, "BLOCK_CORRUPT")) throw error;
    this.#add(error.message);
  }

  #checkChunk(cursor: RawSeries, chunk: number, encoding: number): void {
    this.chunks += 1;
    try {
      cursor.load(chunk);
      this.samples += cursor.sampleCount;
      if (cursor.encoding !== encoding) return;
      const columns = this.#columns;
      columns.length = 0;
      cursor.decode(columns);
      this.#checkTimes(cursor, chunk, columns);
    } catch (error) {
      this.caught(error);
    }
  }

  #checkTimes(cursor: RawSeries, chunk: number, columns: SampleColumns): void {
    const first = columns.times[0];
    const last = columns.times[columns.length - 1];
    const [min, max] = [cursor.minTime(chunk), cursor.maxTime(chunk)];
    if (first === min && last === max) return;
    this.#add(
      `series ${cursor.id}, chunk ${chunk}: samples from ${first} to ${last}, where the index says ${min} to ${max}`,
    );
  }

  #checkCounts({ meta, minTime, maxTime }: BlockReader): void {
    if (this.findings.length > 0) return; // What cannot be read cannot be counted.
    const { numSeries, numChunks, numSamples } = meta.stats;
    const pairs = [
      ["series", numSeries, this.series],
      ["chunks", numChunks, this.chunks],
      ["samples", numSamples, this.samples],
    ] as const;
    for (const [what, said, found] of pairs) {
      if (said !== found) this.#add(`meta.json says ${said} ${what}, and there are ${found}`);
    }
    if (minTime > maxTime) this.#add(`meta.json has minTime ${minTime} above maxTime ${maxTime}`);
  }

  #add(message: string): void {
    this.findings.push({ severity: "damage", path: this.#dir, message });
  }
}
