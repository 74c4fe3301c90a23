import { compareKeys, keyOf, type Random } from "@varve/bytes";
import { type ChunkCodec, type Labels, noPause } from "@varve/contracts";
import { createBlock, pageCache } from "@varve/prometheus-block";
import { drawSamples, encode } from "./chunk.ts";
import { FuzzDisk } from "./disk.ts";
import type { BitSample } from "./xor.ts";
import type { Sound } from "./fuzz-row.ts";

/** A series of a block, and its chunks in their order. */
export interface DrawnSeries {
  readonly labels: Labels;
  readonly key: Uint8Array;
  readonly chunks: readonly (readonly BitSample[])[];
}

/** A file of a block, and the block around it. */
export interface SoundBlockFile extends Sound {
  readonly series: readonly DrawnSeries[];
  /** The other files, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
export const BLOCK_DIR = `/store/${ULID}`;
const SERIES_MAX = 12;
const CHUNKS_MAX = 3;
const NAMES = ["host", "le", "region", "ü"];
const VALUES = ["a", "b", "eu", "🜚", "x".repeat(130)];

export const disk = new FuzzDisk();
/** Few and small pages: some inputs cross them. */
export const cache = pageCache({ bytesMax: 16 * 512, pageBytes: 512 });

/** Writes a block, and takes the file with this name out of it as the input. */
export async function makeBlockFile(
  codec: ChunkCodec,
  name: string,
  random: Random,
): Promise<SoundBlockFile> {
  const series = drawSeries(random);
  disk.clear();
  disk.makeDirectory("/store");
  const block = createBlock({ disk, parent: "/store", ulid: ULID });
  for (const { key } of series) block.addKey(key, 0, key.length);
  await block.sortSymbols(noPause);
  for (const { key, chunks } of series) {
    block.beginSeries(key, 0, key.length);
    for (const samples of chunks) {
      const bytes = encode(codec, samples);
      const first = Number(samples[0]!.time);
      const last = Number(samples.at(-1)!.time);
      block.addChunk(codec.encoding, first, last, samples.length, bytes, 0, bytes.length);
    }
    block.endSeries();
  }
  await block.finish({ minTime: block.minTime, maxTime: block.maxTime + 1, level: 1 }, noPause);
  await block.publish();
  const names = ["meta.json", "index", "tombstones", "chunks/000001"];
  const files = new Map(names.map((each) => [each, disk.take(`${BLOCK_DIR}/${each}`)]));
  return { series, files, bytes: files.get(name)! };
}

/** Puts the block there, with the input in the place of the file with this name. */
export function putBlock(bytes: Uint8Array, name: string, { files }: SoundBlockFile): void {
  disk.clear();
  for (const [each, content] of files) {
    disk.put(`${BLOCK_DIR}/${each}`, each === name ? bytes : content);
  }
}

function drawSeries(random: Random): DrawnSeries[] {
  const byKey = new Map<string, DrawnSeries>();
  for (let left = 1 + random.below(SERIES_MAX); left > 0; left -= 1) {
    const labels: Record<string, string> = { __name__: random.pick(["up", "cpu"]) };
    for (const name of NAMES) if (random.chance(0.4)) labels[name] = random.pick(VALUES);
    const key = keyOf(labels);
    byKey.set(Buffer.from(key).toString("hex"), { labels, key, chunks: drawChunks(random) });
  }
  return [...byKey.values()].sort(({ key: a }, { key: b }) =>
    compareKeys(a, 0, a.length, b, 0, b.length),
  );
}

/** Times of a moderate size, so that chunks lie one behind the other. */
function drawChunks(random: Random): BitSample[][] {
  const chunks: BitSample[][] = [];
  let time = BigInt(random.below(1000));
  for (let left = 1 + random.below(CHUNKS_MAX); left > 0; left -= 1) {
    const samples = drawSamples(random)
      .slice(0, 5)
      .map(({ bits }) => ({ bits, time: (time += BigInt(1 + random.below(100))) }));
    chunks.push(samples);
  }
  return chunks;
}
