import { META_VERSION } from "./layout.ts";
import { type Fields, isFields, withChecksum } from "./meta-checksum.ts";

/** Objects and arrays in each other, at most: to write deeper ones takes more stack than there may be. */
const NESTING_MAX = 100;

/** What a block holds. */
export interface BlockStats {
  readonly numSamples: number;
  readonly numSeries: number;
  readonly numChunks: number;
  readonly numTombstones: number;
}

/** A block that another one was made from. */
export interface BlockParent {
  readonly ulid: string;
  readonly minTime: number;
  readonly maxTime: number;
}

/** How a block came to be. */
export interface BlockCompaction {
  /** 1 for a block that was cut from samples, one more than its parents' for a merged one. */
  readonly level: number;
  /** Blocks of level 1 that went into it: for one of level 1, itself. */
  readonly sources: readonly string[];
  /** The block has no samples left; Prometheus removes it when it loads. */
  readonly deletable?: boolean;
  /** The blocks that it was merged from. */
  readonly parents?: readonly BlockParent[];
  readonly failed?: boolean;
  /** `from-out-of-order`, for one. */
  readonly hints?: readonly string[];
}

/** What `meta.json` says. Times are ms since the epoch: all samples have minTime <= time < maxTime. */
export interface BlockMeta {
  /** Names the block's directory. */
  readonly ulid: string;
  readonly minTime: number;
  readonly maxTime: number;
  readonly stats: BlockStats;
  readonly compaction: BlockCompaction;
  readonly version: 1;
  /** The object as it was read. Fields of it that are not named above are kept when it is written. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/**
 * The bytes of a `meta.json`: fields in Prometheus' order, empty ones left out as there, unknown ones at the end. The field
 * `varve` is given a checksum of all.
 */
export function encodeMeta(meta: BlockMeta): Uint8Array {
  const { ulid, minTime, maxTime, version, raw } = meta;
  const stats = withUnknown(statsInOrder(meta.stats), raw["stats"], isZero);
  const compaction = withUnknown(compactionInOrder(meta.compaction), raw["compaction"], isEmpty);
  const fields = { ulid, minTime, maxTime, stats, compaction, version };
  const json = withUnknown(fields, raw, () => false);
  return new TextEncoder().encode(JSON.stringify(withChecksum(json), null, "\t"));
}

function statsInOrder(stats: BlockStats): BlockStats {
  const { numSamples, numSeries, numChunks, numTombstones } = stats;
  return { numSamples, numSeries, numChunks, numTombstones };
}

function compactionInOrder(compaction: BlockCompaction): Required<BlockCompaction> {
  const { level, sources, deletable, parents, failed, hints } = compaction;
  return {
    level,
    sources,
    deletable: deletable ?? false,
    parents: parents ?? [],
    failed: failed ?? false,
    hints: hints ?? [],
  };
}

function isZero(value: unknown): boolean {
  return value === 0;
}

function isEmpty(value: unknown): boolean {
  return value === false || (Array.isArray(value) && value.length === 0);
}

/** The known fields that are not left out, then those of `raw` that are not known. */
function withUnknown(known: object, raw: unknown, isLeftOut: (value: unknown) => boolean): Fields {
  const written = Object.entries(known).filter(([, value]) => !isLeftOut(value));
  const others = isFields(raw) ? Object.entries(raw) : [];
  const unknown = others.filter(([name]) => !Object.hasOwn(known, name));
  return Object.fromEntries([...written, ...unknown]);
}

/** Takes apart what a `meta.json` held. Returns what is wrong with it, as text, when it is none of version 1. */
export function parseMeta(json: unknown): BlockMeta | string {
  if (!isFields(json)) return "it is not an object";
  if (isDeep(json, NESTING_MAX)) return `it is nested deeper than ${NESTING_MAX} levels`;
  const { ulid, minTime, maxTime, version } = json;
  if (version !== META_VERSION) return `its version is ${JSON.stringify(version)}`;
  if (typeof ulid !== "string") return "it names no ULID";
  if (!isTime(minTime) || !isTime(maxTime)) return "its times are not whole milliseconds";
  if (minTime > maxTime) return `it begins at ${minTime} and ends before, at ${maxTime}`;
  const stats = parseStats(json["stats"]);
  if (stats === undefined) return "its stats are not counts";
  const compaction = parseCompaction(json["compaction"]);
  if (compaction === undefined) return "its compaction is malformed";
  return { ulid, minTime, maxTime, stats, compaction, version: META_VERSION, raw: json };
}

function parseStats(json: unknown = {}): BlockStats | undefined {
  if (!isFields(json)) return undefined;
  const { numSamples = 0, numSeries = 0, numChunks = 0, numTombstones = 0 } = json;
  if (!isCount(numSamples) || !isCount(numSeries)) return undefined;
  if (!isCount(numChunks) || !isCount(numTombstones)) return undefined;
  return { numSamples, numSeries, numChunks, numTombstones };
}

function parseCompaction(json: unknown): BlockCompaction | undefined {
  if (!isFields(json)) return undefined;
  const level = json["level"] ?? 0;
  const sources = json["sources"] ?? [];
  const parents = json["parents"] ?? [];
  const hints = json["hints"] ?? [];
  if (!isCount(level) || !isStrings(sources) || !isStrings(hints)) return undefined;
  if (!Array.isArray(parents) || !parents.every(isParent)) return undefined;
  return {
    level,
    sources,
    ...(json["deletable"] === true && { deletable: true }),
    ...(parents.length > 0 && { parents }),
    ...(json["failed"] === true && { failed: true }),
    ...(hints.length > 0 && { hints }),
  };
}

function isParent(json: unknown): json is BlockParent {
  if (!isFields(json) || typeof json["ulid"] !== "string") return false;
  return isTime(json["minTime"]) && isTime(json["maxTime"]);
}

/** Whether a value holds more than so many levels. Looks no deeper. */
function isDeep(json: unknown, levels: number): boolean {
  if (typeof json !== "object" || json === null) return false;
  return levels === 0 || Object.values(json).some((each) => isDeep(each, levels - 1));
}

function isStrings(json: unknown): json is string[] {
  return Array.isArray(json) && json.every((each) => typeof each === "string");
}

function isTime(json: unknown): json is number {
  return Number.isSafeInteger(json);
}

function isCount(json: unknown): json is number {
  return Number.isSafeInteger(json) && (json as number) >= 0;
}
