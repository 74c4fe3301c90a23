import { slabAllocator } from "@varve/allocator/slab";
import { queuedBlocks } from "@varve/block-manager/queued";
import { immediateBlocks } from "@varve/block-manager/immediate";
import { makeBatch, makeColumns, type Random, reserveMemory, type RowBatch } from "@varve/bytes";
import { xorChunk } from "@varve/chunk/xor";
import {
  type BlockManager,
  isStorageError,
  type ReadPin,
  type SeriesKeys,
  type Variant,
} from "@varve/contracts";
import { Broken } from "../../row.ts";
import { mutate, replaced } from "./bytes.ts";
import { samplesOf } from "./chunk.ts";
import { FuzzDisk } from "./disk.ts";
import {
  mendSealed,
  type ReadChunk,
  readSealed,
  recordPlaces,
  wearsOut,
} from "./sealed-reading.ts";
import { type BitSample, readXor } from "./xor.ts";
import { fuzzRow, type FuzzTarget, Refusal, type Sound } from "./fuzz-row.ts";

interface SoundFile extends Sound {
  /** All files of the directory, of which the input is one. */
  readonly files: readonly Uint8Array[];
  readonly number: number;
  /** All samples that were written, by ref. */
  readonly written: ReadonlyMap<number, readonly BitSample[]>;
}

/** What an opening finds: samples by ref, null where a chunk of the series is damaged, and the highest ref. */
interface FoundSeries {
  readonly samples: ReadonlyMap<number, readonly BitSample[] | null>;
  readonly refMax: number;
}

const DIR = "/store/sealed";
const MEMORY_BYTES = 8 * 2 ** 20;
const SERIES_MAX = 6;

const keys: SeriesKeys = { nextRef: 2 ** 32 - 1, keyBytes: () => 0, copyKey: () => 0 };

/** `sealed/`: a file through the opening of a block manager. */
export const SEALED_ROW = fuzzRow(
  "sealed",
  "files of sealed/, through the opening of a block manager",
  openTarget,
);

async function openTarget(): Promise<FuzzTarget<SoundFile, FoundSeries | "refused">> {
  const disk = new FuzzDisk();
  let memory = reserveMemory({ bytesMax: MEMORY_BYTES });
  const chunk = await xorChunk().open({});
  const small = { cacheBytesMax: 65_536, chunkBytesMax: 256, regionsPerRefill: 1 };
  const reading = immediateBlocks(small);
  const open = async (variant: Variant<"block-manager">): Promise<BlockManager> =>
    variant.open({
      memory,
      disk,
      dir: DIR,
      blocksDir: "/store",
      quarantineDir: "/store/quarantine",
      storeId: "00".repeat(16),
      allocator: await slabAllocator().open({ memory, bytesMax: MEMORY_BYTES / 2 }),
      chunk,
      keys,
      seriesExpected: 0,
    });
  return {
    codes: [],
    sounds: 6,
    // A chunk may name any ref, and the table of series has eight bytes for every 1,024 up to it.
    memoryMax: 64 * 2 ** 20,
    keepsLength: 0.6,
    async make(random) {
      disk.clear();
      memory = reserveMemory({ bytesMax: MEMORY_BYTES });
      const batch = makeBatch(memory, 64);
      const blocks = await open(queuedBlocks({ ...small, samplesPerChunk: 2 + random.below(6) }));
      const written = new Map<number, BitSample[]>();
      await writeFile(blocks, batch, written, random);
      const files = disk.list(DIR).map((name) => disk.take(`${DIR}/${name}`));
      const number = random.below(files.length);
      return { bytes: files[number]!, files, number, written };
    },
    mend: mendSealed,
    change: changeRecords,
    prepare(bytes, origin) {
      // An opening that refuses leaves its memory behind, as its process would.
      if (memory.bytesTaken > MEMORY_BYTES / 8) memory = reserveMemory({ bytesMax: MEMORY_BYTES });
      disk.clear();
      for (const [i, file] of filesOf(bytes, origin).entries())
        disk.put(`${DIR}/00000${i + 1}`, file);
    },
    async decode(bytes, origin) {
      let blocks: BlockManager;
      try {
        blocks = await open(reading);
      } catch (error) {
        if (isStorageError(error, "UNSUPPORTED_VERSION")) return "refused";
        if (isStorageError(error, "BLOCK_CORRUPT")) return "refused";
        throw error;
      }
      const refs = refsOf(filesOf(bytes, origin));
      const samples = new Map<number, readonly BitSample[] | null>();
      using pin = blocks.pin(refs, refs.length);
      for (const [i, ref] of refs.entries()) samples.set(ref, readSeries(pin, i));
      const { refMax } = blocks;
      await blocks[Symbol.asyncDispose]();
      return { samples, refMax };
    },
    judge(found, input) {
      if (found instanceof Refusal) throw new Broken("wrong", "no refusal gets here");
      judge(found, filesOf(input.bytes, input.origin), input.isIntact ? input.origin : null);
    },
  };
}

/** All files of the directory, with the input in its place. */
function filesOf(bytes: Uint8Array, { files, number }: SoundFile): readonly Uint8Array[] {
  return files.with(number, bytes);
}

/** Writes rows of a few series, sealing and persisting now and then, so that the file gets chunks and marks. */
async function writeFile(
  blocks: BlockManager,
  batch: RowBatch,
  written: Map<number, BitSample[]>,
  random: Random,
): Promise<void> {
  const series = 1 + random.below(SERIES_MAX);
  let time = random.chance(0.8) ? 1_700_000_000_000 : -1000;
  for (let lsn = 1; lsn <= 4; lsn += 1) {
    batch.clear();
    for (let left = 2 + random.below(14); left > 0; left -= 1) {
      const ref = 1 + random.below(series);
      const value = random.below(1000) / 8;
      time += 1 + random.below(5000);
      const row = batch.add(time, value);
      batch.refs[row] = ref;
      const samples = written.get(ref) ?? [];
      written.set(ref, samples);
      samples.push({ time: BigInt(time), bits: bitsOf(value) });
    }
    blocks.admit(batch, 0, batch.length);
    blocks.append(batch, 0, batch.length, lsn);
    const sealBeforeLsn = random.chance(0.5) ? lsn + 1 : 0;
    await blocks.maintain({ budgetMs: 1000, sealBeforeLsn });
  }
  // Sealed and synced, then trusted, then stated by a mark.
  for (let i = 0; i < 3; i += 1) await blocks.maintain({ budgetMs: 1000, sealBeforeLsn: 5 });
  await blocks[Symbol.asyncDispose]();
}

function bitsOf(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0]!;
}

/** Changes one record and leaves the others where they are, as far as its length allows. */
function changeRecords(sound: SoundFile, other: SoundFile, random: Random): Uint8Array {
  const places = recordPlaces(sound.bytes);
  const [from, until] = random.pick(places);
  const others = recordPlaces(other.bytes);
  const [otherFrom, otherUntil] = random.pick(others);
  const strange = other.bytes.subarray(otherFrom, otherUntil);
  const kind = random.below(4);
  if (kind === 0) return replaced(sound.bytes, from, until, strange);
  if (kind === 1) return replaced(sound.bytes, from, from, strange);
  if (kind === 2) return replaced(sound.bytes, from, until, new Uint8Array(0));
  const record = mutate(random, sound.bytes.subarray(from, until), strange, 0.8);
  return replaced(sound.bytes, from, until, record);
}

/** The samples that a pinned series has: null when one of its chunks cannot be read. */
function readSeries(pin: ReadPin, i: number): readonly BitSample[] | null {
  const columns = makeColumns({ capacity: 1 });
  try {
    pin.read(i, -Infinity, Infinity, columns);
  } catch (error) {
    if (!isStorageError(error, "BLOCK_CORRUPT")) throw error;
    return null;
  }
  return samplesOf(columns);
}

/** Refs that the files name in chunks, whether they count or not, and one that they may not. */
function refsOf(files: readonly Uint8Array[]): Uint32Array {
  const chunks = files.flatMap((file) => readSealed(file) ?? []);
  return Uint32Array.from(new Set([...chunks.map(({ ref }) => ref), SERIES_MAX + 1]));
}

/** A series has nothing but samples of its chunks, in their order. Which of them count is for other rows to say. */
function judge(
  found: FoundSeries | "refused",
  files: readonly Uint8Array[],
  sound: SoundFile | null,
): void {
  const reading = files.map(readSealed);
  const isRefused = reading.includes(null);
  if (isRefused !== (found === "refused") && !files.some(wearsOut)) {
    throw new Broken("wrong", isRefused ? "the file is read, of another version" : "it is refused");
  }
  if (found === "refused" || isRefused) return;
  const chunks = reading.flatMap((file) => file ?? []);
  for (const [ref, samples] of found.samples) {
    const own = chunks.filter((chunk) => chunk.ref === ref);
    if (!isMadeOf(samples, own)) throw new Broken("wrong", `series ${ref} has what no chunk holds`);
    if (samples !== null && samples.length > 0 && ref > found.refMax) {
      throw new Broken("wrong", `series ${ref} is above the highest ref, ${found.refMax}`);
    }
  }
  if (sound === null) return;
  for (const [ref, samples] of sound.written) compare(ref, found.samples.get(ref) ?? [], samples);
}

/** Whether the samples are those of some of the chunks, one after the other; null where one of them is damaged. */
function isMadeOf(samples: readonly BitSample[] | null, chunks: readonly ReadChunk[]): boolean {
  const sorted = chunks.toSorted((a, b) => (a.minTime < b.minTime ? -1 : 1));
  const contents = sorted.map(({ data }) => readXor(data));
  if (samples === null) return contents.includes(null);
  let at = 0;
  for (const content of contents) {
    if (content === null || !isSame(samples.slice(at, at + content.length), content)) continue;
    at += content.length;
  }
  return at === samples.length;
}

function compare(
  ref: number,
  found: readonly BitSample[] | null,
  expected: readonly BitSample[],
): void {
  if (found !== null && isSame(found, expected)) return;
  const what = `${found?.length} of ${expected.length} samples, or others`;
  throw new Broken("lost", `series ${ref} has ${what}`);
}

function isSame(found: readonly BitSample[], expected: readonly BitSample[]): boolean {
  return (
    found.length === expected.length &&
    found.every(({ time, bits }, i) => time === expected[i]!.time && bits === expected[i]!.bits)
  );
}
