import { labelsOf, makeColumns } from "@varve/bytes";
import { xorChunk } from "@varve/chunk/xor";
import type {
  ChunkCodec,
  Disk,
  Labels,
  Matcher,
  MatcherKind,
  StoredSeries,
} from "@varve/contracts";
import { writeAll } from "@varve/disk/transfer";
import { type BlockReader, openBlock, type PageCacheOptions, pageCache } from "../../src/index.ts";

export const codec: ChunkCodec = await xorChunk().open({});

/** A matcher with JavaScript's expressions, anchored; with values when told. */
export function matcher(
  name: string,
  kind: MatcherKind,
  value: string,
  known: { readonly values?: readonly string[]; readonly prefix?: string } = {},
): Matcher {
  const expression = new RegExp(`^(?:${kind.endsWith("~") ? value : ""})$`, "u");
  const equals = (text: string): boolean => text === value;
  const matches = (text: string): boolean => expression.test(text);
  const accepts = {
    "=": equals,
    "!=": (text: string) => !equals(text),
    "=~": matches,
    "!~": (text: string) => !matches(text),
  }[kind];
  const values = kind === "=" ? { values: [value] } : {};
  return { name, kind, value, ...values, ...known, matches: accepts };
}

export function open(disk: Disk, dir: string, cache: PageCacheOptions = {}): Promise<BlockReader> {
  return openBlock({ disk, dir, codec, cache: pageCache(cache) });
}

/** A series as it was read: times and the bits of values, to compare with `toEqual`. */
export interface ReadSeries {
  readonly labels: Labels;
  readonly times: number[];
  readonly bits: string[];
}

export function bitsOf(values: Float64Array): string[] {
  const words = new BigUint64Array(values.buffer, values.byteOffset, values.length);
  return Array.from(words, (word) => word.toString(16));
}

export function readSeries(
  series: StoredSeries,
  from = Number.NEGATIVE_INFINITY,
  until = Number.POSITIVE_INFINITY,
): ReadSeries[] {
  const found: ReadSeries[] = [];
  while (series.next()) {
    const columns = makeColumns();
    series.read(from, until, columns);
    found.push({
      labels: labelsOf(series.key, 0, series.keyLength),
      times: [...columns.times.subarray(0, columns.length)],
      bits: bitsOf(columns.values.slice(0, columns.length)),
    });
  }
  return found;
}

/** Puts files there, directories included. */
export function putFiles(disk: Disk, dir: string, files: ReadonlyMap<string, Uint8Array>): void {
  const parts = dir.split("/").slice(1);
  for (let i = 1; i <= parts.length; i += 1) disk.makeDirectory(`/${parts.slice(0, i).join("/")}`);
  disk.makeDirectory(`${dir}/chunks`);
  for (const [name, bytes] of files) {
    const fd = disk.open(`${dir}/${name}`, "create");
    writeAll(disk, fd, bytes, 0, bytes.length, 0);
    disk.close(fd);
  }
}
