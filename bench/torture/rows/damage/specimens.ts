import { inlineRecord } from "@varve/record/inline";
import { readAll } from "@varve/disk/transfer";
import { DamagedBlock } from "./block.ts";
import { checkStore } from "./engine.ts";
import { type Damage, DAMAGED_BYTES, type Original, type Span, spansOf } from "./file.ts";
import { chunkFrames, lineFrames, sealedFrames, seriesFrames } from "./frames.ts";
import { DamagedLog } from "./log.ts";
import { DamagedSealed } from "./sealed.ts";
import { mapSegment } from "./segment.ts";
import { DIR, type GoodStore, makeStore, type Place, type Shape } from "./store.ts";

/** A file of a good store, ready to be damaged. */
export interface Specimen {
  readonly original: Original;
  /** Holds the part that reads the file against the damage. */
  part(damage: Damage): Promise<void>;
  /** Holds the whole engine against it. */
  whole(damage: Damage): Promise<void>;
}

/** A kind of file that a store has. */
export interface FileKind {
  readonly name: string;
  readonly title: string;
  /** Of these many bytes each is cut at and has every bit flipped. */
  readonly bytes: number;
  /** The engine is opened for one in so many damages; the part that reads the file is for each. */
  readonly wholeEvery: number;
  make(): Promise<Specimen>;
}

const FEW = [8, 2] as const;
const DELETED: Shape = { block: [80, 40], sealed: FEW, log: FEW, deletions: 50 };
const ULID_LENGTH = 26;
/** Sizes of the small files, in bytes. */
const META_BYTES = 364;
const FORMAT_BYTES = 69;

export const FILE_KINDS: readonly FileKind[] = [
  {
    name: "wal-closed",
    title: "the last segment of a log that was closed",
    bytes: DAMAGED_BYTES,
    wholeEvery: 16,
    make: () => ofLog({ block: FEW, sealed: FEW, log: [60, 24] }),
  },
  {
    name: "wal-killed",
    title: "the last segment of a log whose process died",
    bytes: DAMAGED_BYTES,
    wholeEvery: 16,
    make: () => ofLog({ block: FEW, sealed: FEW, log: [60, 24] }, "killed"),
  },
  {
    name: "wal-earlier",
    title: "a segment that others follow, of inline records",
    bytes: DAMAGED_BYTES,
    wholeEvery: 16,
    make: () => ofLog({ block: FEW, sealed: FEW, log: [24, 20] }, "inline"),
  },
  {
    name: "checkpoint",
    title: "a log's checkpoint",
    bytes: DAMAGED_BYTES,
    wholeEvery: 1,
    make: ofCheckpoint,
  },
  {
    name: "sealed",
    title: "chunks that are in no block",
    bytes: DAMAGED_BYTES,
    wholeEvery: 8,
    make: ofSealed,
  },
  {
    name: "chunks",
    title: "a block's chunks",
    bytes: DAMAGED_BYTES,
    wholeEvery: 16,
    make: () => ofBlock({ block: [40, 36], sealed: FEW, log: FEW }, "chunks/000001", chunkFrames),
  },
  {
    name: "index",
    title: "a block's index",
    bytes: DAMAGED_BYTES,
    wholeEvery: 16,
    make: () => ofBlock({ block: [120, 2], sealed: FEW, log: FEW }, "index", seriesFrames),
  },
  {
    name: "tombstones",
    title: "a block's tombstones",
    bytes: DAMAGED_BYTES,
    wholeEvery: 16,
    make: () => ofBlock(DELETED, "tombstones", () => [], "killed"),
  },
  {
    name: "meta",
    title: "a block's meta.json",
    bytes: META_BYTES,
    wholeEvery: 1,
    make: ofMeta,
  },
  { name: "format", title: "FORMAT", bytes: FORMAT_BYTES, wholeEvery: 1, make: ofFormat },
];

type Ending = "closed" | "killed";

async function ofLog(shape: Shape, how: Ending | "inline" = "closed"): Promise<Specimen> {
  const change = how === "inline" ? { record: inlineRecord() } : {};
  const good = await makeStore(shape, change, how === "killed" ? "killed" : "closed");
  const other = await makeStore(shape, change);
  const [path] = segmentsOf(good) as [string];
  const [, second = `${DIR}/wal/checkpoint.00000000/00000000`] = segmentsOf(good);
  const log = await DamagedLog.open(good.disk, path);
  const bytes = readAll(good.disk, path);
  const spans = spansOf(bytes.length, log.map.contentEnd);
  const others = [readAll(good.disk, second), readAll(other.disk, segmentsOf(other)[0]!)];
  return {
    original: { bytes, spans, frames: log.map.frames, others },
    part: (damage) => log.check(damage),
    whole: (damage) => checkStore(good, { path, mayLose: ["log"] }, damage),
  };
}

/** A checkpoint is whole, or the store is refused. */
async function ofCheckpoint(): Promise<Specimen> {
  const shape: Shape = { block: FEW, sealed: [180, 1], log: FEW };
  const good = await makeStore(shape);
  const other = await makeStore(shape);
  const path = `${DIR}/wal/checkpoint.00000000/00000000`;
  const bytes = readAll(good.disk, path);
  const { contentEnd, frames } = mapSegment(bytes);
  const others = [readAll(good.disk, segmentsOf(good)[0]!), readAll(other.disk, path)];
  return {
    original: { bytes, spans: spansOf(bytes.length, contentEnd), frames, others },
    part: async () => undefined,
    whole: (damage) => checkStore(good, { path, mayLose: [] }, damage),
  };
}

async function ofSealed(): Promise<Specimen> {
  const series = 40;
  const shape: Shape = { block: [series, 1], sealed: [series, 36], log: [series, 1] };
  const good = await makeStore(shape);
  const path = largestIn(good, `${DIR}/sealed`);
  const sealed = await DamagedSealed.of(good.disk, path, good.content, series);
  const bytes = readAll(good.disk, path);
  // Only files of this store: records name none, so that a whole one of another store is believed.
  const others = good.disk
    .list(`${DIR}/sealed`)
    .map((name) => readAll(good.disk, `${DIR}/sealed/${name}`));
  return {
    original: { bytes, spans: spansOf(bytes.length), frames: sealedFrames(bytes), others },
    part: (damage) => sealed.check(damage),
    whole: (damage) => checkStore(good, { path, mayLose: ["sealed"] }, damage),
  };
}

async function ofBlock(
  shape: Shape,
  name: string,
  framesOf: (bytes: Uint8Array) => readonly Span[],
  ending: Ending = "closed",
): Promise<Specimen> {
  const good = await makeStore(shape, {}, ending);
  const [series, samples] = shape.block;
  const other = await makeStore({ ...shape, block: [series, samples + 1] }, {}, ending);
  const [path, beside] = blocksOf(good).map((block) => `${block}/${name}`) as [string, string];
  const block = await DamagedBlock.of(good.disk, path, good.content, series);
  const bytes = readAll(good.disk, path);
  const others = [readAll(good.disk, beside), readAll(other.disk, `${blocksOf(other)[0]}/${name}`)];
  return {
    original: { bytes, spans: spansOf(bytes.length), frames: framesOf(bytes), others },
    part: (damage) => block.check(damage),
    whole: (damage) => checkStore(good, { path, mayLose: ["block"] satisfies Place[] }, damage),
  };
}

/** That of the newest block: what it says of the log counts. */
async function ofMeta(): Promise<Specimen> {
  const shape: Shape = { block: FEW, sealed: FEW, log: FEW };
  const good = await makeStore(shape);
  const other = await makeStore(shape);
  const [beside, path] = blocksOf(good).map((block) => `${block}/meta.json`) as [string, string];
  const bytes = readAll(good.disk, path);
  const others = [
    readAll(good.disk, beside),
    readAll(other.disk, `${blocksOf(other)[1]}/meta.json`),
  ];
  const target = { path, mayLose: ["other block"] satisfies Place[], isByWindow: true };
  return {
    original: { bytes, spans: spansOf(bytes.length), frames: lineFrames(bytes), others },
    part: async () => undefined,
    whole: (damage) => checkStore(good, target, damage),
  };
}

async function ofFormat(): Promise<Specimen> {
  const shape: Shape = { block: FEW, sealed: FEW, log: FEW };
  const good = await makeStore(shape);
  const other = await makeStore(shape);
  const path = `${DIR}/FORMAT`;
  const bytes = readAll(good.disk, path);
  const others = [readAll(other.disk, path)];
  return {
    original: { bytes, spans: spansOf(bytes.length), frames: lineFrames(bytes), others },
    part: async () => undefined,
    whole: (damage) => checkStore(good, { path, mayLose: [] }, damage),
  };
}

/** Segments after the checkpoint, oldest first. */
function segmentsOf({ disk }: GoodStore): string[] {
  const names = disk.list(`${DIR}/wal`).filter((name) => /^\d+$/.test(name));
  return names.map((name) => `${DIR}/wal/${name}`);
}

/** Blocks, oldest first. */
function blocksOf({ disk }: GoodStore): string[] {
  const names = disk.list(DIR).filter((name) => name.length === ULID_LENGTH);
  return names.map((name) => `${DIR}/${name}`);
}

function largestIn({ disk }: GoodStore, dir: string): string {
  const paths = disk.list(dir).map((name) => `${dir}/${name}`);
  const sizes = paths.map((path) => readAll(disk, path).length);
  return paths[sizes.indexOf(Math.max(...sizes))]!;
}
