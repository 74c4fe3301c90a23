import { crc32c, type Random } from "@varve/bytes";
import { type BlockMeta, readMeta, writeMeta } from "@varve/prometheus-block";
import { Broken } from "../../row.ts";
import { FuzzDisk } from "./disk.ts";
import { fuzzRow, type FuzzTarget, Refusal, type Sound } from "./fuzz-row.ts";

interface SoundMeta extends Sound {
  readonly meta: BlockMeta;
}

type Json = Record<string, unknown>;

const DIR = "/block";
const FILE = `${DIR}/meta.json`;
/** Values that stand where others are expected. */
const STRANGE: readonly unknown[] = [
  null,
  true,
  0,
  -0,
  -1,
  0.5,
  2 ** 53 - 1,
  2 ** 53,
  1e308,
  "",
  "../../etc",
  "\ud800",
  [],
  ["x", 1],
  [null],
  {},
  { length: 3 },
];
const NAMES = [
  "ulid",
  "minTime",
  "maxTime",
  "stats",
  "compaction",
  "version",
  "varve",
  "__proto__",
  "1",
];
/** Deeper nesting than any stack has room for. */
const DEPTH_MAX = 20_000;

/** `meta.json`. */
export const META_ROW = fuzzRow("meta", "meta.json of a block", openTarget);

function openTarget(): FuzzTarget<SoundMeta, BlockMeta> {
  const disk = new FuzzDisk();
  return {
    codes: ["BLOCK_CORRUPT", "UNSUPPORTED_VERSION"],
    make(random) {
      const meta = drawMeta(random);
      writeMeta(disk, DIR, meta);
      return { bytes: disk.take(FILE), meta };
    },
    change: changeJson,
    mend: mendChecksum,
    prepare: (bytes) => disk.put(FILE, bytes),
    decode: () => readMeta(disk, DIR),
    judge(found, { bytes, origin, isIntact }) {
      if (found instanceof Refusal) return;
      judge(found, bytes);
      if (isIntact) compare(found, origin.meta, "what was written");
      writeMeta(disk, DIR, found);
      compare(readMeta(disk, DIR), found, "what was written anew");
    },
  };
}

function drawMeta(random: Random): BlockMeta {
  const minTime = random.below(2 ** 41) - 2 ** 20;
  const ulid = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
  const stats = {
    numSamples: random.below(1000),
    numSeries: random.below(3),
    numChunks: random.below(9),
    numTombstones: random.below(2),
  };
  const parents = [{ ulid, minTime, maxTime: minTime + 1 }];
  const compaction = {
    level: 1 + random.below(3),
    sources: [ulid],
    ...(random.chance(0.5) && { parents }),
    ...(random.chance(0.3) && { hints: ["from-out-of-order"] }),
    ...(random.chance(0.1) && { deletable: true }),
  };
  const varve = { store: "00".repeat(16), cutTime: minTime, lateLsn: 7 };
  const raw = {
    ...(random.chance(0.5) && { varve }),
    ...(random.chance(0.3) && { thanos: { labels: {} } }),
  };
  const maxTime = minTime + random.below(7_200_000);
  return { ulid, minTime, maxTime, stats, compaction, version: 1, raw };
}

/** What JSON itself says has to be what was read. */
function judge(found: BlockMeta, bytes: Uint8Array): void {
  const json = JSON.parse(Buffer.from(bytes).toString("utf8")) as Json;
  const { ulid, minTime, maxTime, stats, compaction } = found;
  const isTime = (time: unknown): boolean => Number.isSafeInteger(time);
  const isSound =
    json["version"] === 1 &&
    typeof ulid === "string" &&
    ulid === json["ulid"] &&
    minTime === json["minTime"] &&
    maxTime === json["maxTime"] &&
    isTime(minTime) &&
    isTime(maxTime) &&
    minTime <= maxTime &&
    Object.values(stats).every((count) => isTime(count) && count >= 0) &&
    [...compaction.sources, ...(compaction.hints ?? [])].every(
      (each) => typeof each === "string",
    ) &&
    (compaction.parents ?? []).every(
      (each) => typeof each.ulid === "string" && isTime(each.minTime),
    );
  if (!isSound) throw new Broken("wrong", `impossible content is read: ${JSON.stringify(found)}`);
}

/** All that is known, and what is varve's own in the rest. */
function textOf({ raw, ...known }: BlockMeta): string {
  const { varve } = raw as { varve?: Json };
  return JSON.stringify([known, varve?.["store"], varve?.["cutTime"], varve?.["lateLsn"]], inOrder);
}

function compare(found: BlockMeta, expected: BlockMeta, what: string): void {
  if (textOf(found) === textOf(expected)) return;
  throw new Broken("wrong", `${textOf(found)} is read, and ${what} is ${textOf(expected)}`);
}

/** Takes a value out, puts a strange one in its place, repeats one elsewhere, or nests one deep. */
function changeJson(sound: SoundMeta, other: SoundMeta, random: Random): Uint8Array {
  const json = JSON.parse(Buffer.from(sound.bytes).toString("utf8")) as Json;
  const others = JSON.parse(Buffer.from(other.bytes).toString("utf8")) as Json;
  if (random.chance(0.01)) {
    const depth = random.below(DEPTH_MAX);
    const deep = random.chance(0.5)
      ? "[".repeat(depth) + "]".repeat(depth)
      : '{"a":'.repeat(depth) + "0" + "}".repeat(depth);
    return Buffer.from(`{"deep":${deep},${JSON.stringify(json).slice(1)}`);
  }
  do {
    const place = placeIn(json, random);
    const name = random.chance(0.9) ? random.pick(Object.keys(place)) : random.pick(NAMES);
    if (name === undefined) continue;
    const kind = random.below(4);
    if (kind === 0) delete place[name];
    else if (kind === 1) place[name] = structuredClone(random.pick(STRANGE));
    else if (kind === 2) place[name] = structuredClone(random.pick(Object.values(others)));
    else if (typeof place[name] === "number") place[name] += random.pick([1, -1, 0.5, 2 ** 52]);
  } while (random.chance(0.4));
  return Buffer.from(JSON.stringify(json));
}

/** The object, or one in it. */
function placeIn(json: Json, random: Random): Json {
  const inside = Object.values(json).filter((each) => typeof each === "object" && each !== null);
  if (inside.length === 0 || random.chance(0.4)) return json;
  return placeIn(random.pick(inside) as Json, random);
}

/** Puts varve's own checksum right where the input is still JSON: over the content, names in order, without white space. */
function mendChecksum(bytes: Uint8Array): Uint8Array {
  try {
    const json = JSON.parse(Buffer.from(bytes).toString("utf8")) as { varve?: Json };
    if (typeof json.varve?.["crc"] !== "number") return bytes;
    delete json.varve["crc"];
    const content = Buffer.from(JSON.stringify(json, inOrder));
    json.varve["crc"] = crc32c(content, 0, content.length);
    return Buffer.from(JSON.stringify(json));
  } catch {
    return bytes; // No JSON, or nested too deep.
  }
}

function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const order = ([a]: [string, unknown], [b]: [string, unknown]): number =>
    Buffer.compare(Buffer.from(a), Buffer.from(b));
  return Object.fromEntries(Object.entries(value).sort(order));
}
