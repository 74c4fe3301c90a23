import { crc32c, makeColumns } from "@varve/bytes";
import { xorChunk } from "@varve/chunk/xor";
import { type ChunkCodec, isStorageError, type Labels, type Matcher } from "@varve/contracts";
import { equal, notEqual } from "@varve/matcher";
import { type BlockReader, openBlock, verifyBlock } from "@varve/prometheus-block";
import { Broken } from "../../row.ts";
import {
  BLOCK_DIR,
  cache,
  disk,
  makeBlockFile,
  putBlock,
  type SoundBlockFile,
} from "./block-files.ts";
import { samplesOf } from "./chunk.ts";
import { changeIndex, mendIndex } from "./index-mend.ts";
import { fuzzRow, type FuzzTarget, Refusal } from "./fuzz-row.ts";

/** What a block says: null where it refuses. */
interface FoundBlock {
  readonly all: readonly FoundSeries[] | null;
  readonly answers: readonly (readonly string[] | null)[];
  readonly names: readonly string[] | null;
}

interface FoundSeries {
  readonly key: string;
  readonly labels: Labels;
  /** Samples as text; null where a chunk is damaged, undefined where nobody looked. */
  readonly samples: string | null | undefined;
}

/** Matches by an expression: through the values of a name, not by known ones. */
const begins = (name: string, prefix: string): Matcher => ({
  name,
  kind: "=~",
  value: `${prefix}.*`,
  prefix,
  matches: (value) => value.startsWith(prefix),
});

const QUESTIONS: readonly (readonly Matcher[])[] = [
  [equal("host", "a")],
  [equal("__name__", "cpu"), notEqual("host", "a")],
  [equal("le", ""), begins("region", "e")],
  [notEqual("ü", "")],
  [begins("__name__", "")],
  [notEqual("nobody", "x"), begins("le", "x")],
];

/** The index of a block. */
export const INDEX_ROW = fuzzRow(
  "index",
  "the index of a block, opened, asked and verified",
  openTarget,
);

async function openTarget(): Promise<FuzzTarget<SoundBlockFile, FoundBlock>> {
  const codec = await xorChunk().open({});
  return {
    codes: ["BLOCK_CORRUPT", "UNSUPPORTED_VERSION"],
    sounds: 6,
    keepsLength: 0.85,
    make: (random) => makeBlockFile(codec, "index", random),
    change: (sound, other, random) => changeIndex(sound.bytes, other.bytes, random),
    mend: mendIndex,
    prepare: (bytes, origin) => putBlock(bytes, "index", origin),
    async decode(bytes) {
      const block = await openBlock({ disk, dir: BLOCK_DIR, cache, codec });
      try {
        return ask(block, isThorough(bytes));
      } finally {
        block.close();
      }
    },
    async judge(found, { bytes, origin, isIntact }) {
      if (disk.opened > 0) throw new Broken("wrong", `${disk.opened} files stay open`);
      if (isThorough(bytes)) await verify(codec, found, isIntact);
      if (found instanceof Refusal) return;
      judgeAll(found);
      if (isIntact) compareWith(found, origin);
    },
  };
}

/** Every fourth block is asked everything; the others what shows most for the time it takes. */
function isThorough(bytes: Uint8Array): boolean {
  return crc32c(bytes, 0, bytes.length) % 4 === 0;
}

function ask(block: BlockReader, isAskedAll: boolean): FoundBlock {
  const guarded = <T>(question: () => T): T | null => {
    try {
      return question();
    } catch (error) {
      if (isStorageError(error, "BLOCK_CORRUPT")) return null;
      throw error;
    }
  };
  const names = guarded(() => block.labelNames([]));
  const all = guarded(() => seriesOf(block, [], isAskedAll));
  const answers = QUESTIONS.slice(0, isAskedAll ? QUESTIONS.length : 2).map((matchers) =>
    guarded(() => seriesOf(block, matchers, false).map(({ key }) => key)),
  );
  if (!isAskedAll) return { all, answers, names };
  for (const name of names ?? []) guarded(() => block.labelValues(name, []));
  guarded(() => block.labelValues("host", [equal("__name__", "up")]));
  guarded(() => [...block.pairCounts()]);
  return { all, answers, names };
}

function seriesOf(
  block: BlockReader,
  matchers: readonly Matcher[],
  withSamples: boolean,
): FoundSeries[] {
  const found: FoundSeries[] = [];
  const series = block.select(matchers);
  while (series.next()) {
    const key = Buffer.from(series.key.subarray(0, series.keyLength)).toString("hex");
    found.push({
      key,
      labels: series.labels(),
      samples: withSamples ? readSamples(series) : undefined,
    });
  }
  return found;
}

function readSamples(series: { read: ReturnType<BlockReader["select"]>["read"] }): string | null {
  const columns = makeColumns({ capacity: 8 });
  try {
    series.read(-Infinity, Infinity, columns);
  } catch (error) {
    if (isStorageError(error, "BLOCK_CORRUPT")) return null;
    throw error;
  }
  return textOf(samplesOf(columns));
}

function textOf(samples: readonly { time: bigint; bits: bigint }[]): string {
  return samples.map(({ time, bits }) => `${time}:${bits}`).join();
}

/** A matcher that compares with a value gives no series that lacks it, whatever a list says. */
function judgeAll({ answers }: FoundBlock): void {
  const answer = answers[0];
  const wanted = Buffer.from("host\u00ffa\u00ff", "latin1").toString("hex");
  for (const key of answer ?? []) {
    if (!key.includes(wanted)) throw new Broken("wrong", `${key} is given for host="a"`);
  }
}

function compareWith({ all, answers, names }: FoundBlock, { series }: SoundBlockFile): void {
  const expected = series.map(({ key, chunks }) => ({
    key: Buffer.from(key).toString("hex"),
    samples: textOf(chunks.flat()),
  }));
  const isSame =
    all?.length === expected.length &&
    all.every(
      ({ key, samples }, i) =>
        key === expected[i]!.key && (samples === undefined || samples === expected[i]!.samples),
    );
  if (!isSame) throw new Broken("wrong", "other series");
  const known = new Set(series.flatMap(({ labels }) => Object.keys(labels)));
  if (names?.length !== known.size) throw new Broken("wrong", `its names are ${names?.join()}`);
  for (const [i, matchers] of QUESTIONS.entries()) {
    const accepted = series.filter(({ labels }) => accepts(matchers, labels));
    const keys = accepted.map(({ key }) => Buffer.from(key).toString("hex"));
    if (i < answers.length && answers[i]?.join() !== keys.join())
      throw new Broken("wrong", `question ${i} has another answer`);
  }
}

function accepts(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matcher.matches(labels[matcher.name] ?? ""));
}

/** A block in which nothing is wrong gives the same by every way: over the lists, and over all series. */
async function verify(
  codec: ChunkCodec,
  found: FoundBlock | Refusal,
  isIntact: boolean,
): Promise<void> {
  const problems = await verifyBlock({ disk, dir: BLOCK_DIR, codec });
  if (disk.opened > 0) throw new Broken("wrong", `verifying leaves ${disk.opened} files open`);
  if (isIntact && problems.length > 0) throw new Broken("wrong", problems[0]!.message);
  if (problems.length > 0) return;
  if (found instanceof Refusal)
    throw new Broken("wrong", `it is verified, and refused: ${found.error.message}`);
  const { all, answers } = found;
  if (all === null || all.some(({ samples }) => samples === null)) {
    throw new Broken("wrong", "a block is verified that cannot be read");
  }
  for (const [i, matchers] of QUESTIONS.entries()) {
    const keys = all.filter(({ labels }) => accepts(matchers, labels)).map(({ key }) => key);
    if (answers[i]?.join() === keys.join()) continue;
    throw new Broken("wrong", `a block is verified whose question ${i} has another answer`);
  }
}
