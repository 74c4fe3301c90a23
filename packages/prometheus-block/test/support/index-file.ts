import {
  crc32c,
  readU32,
  readU64,
  VarintReader,
  writeU32,
  writeU64,
  writeUvarint,
} from "@varve/bytes";

/** An index, told part by part, so that tests can tell one that no writer writes. */
export interface IndexContent {
  /** In the order given. */
  readonly symbols: readonly string[];
  /** Bodies of series entries. They get the ids `ID_FIRST`, then one more for each 16 bytes. */
  readonly series: readonly Uint8Array[];
  /** Names, values and ids, in the order given. */
  readonly lists: readonly (readonly [name: string, value: string, ids: readonly number[]])[];
}

const encoder = new TextEncoder();

class Bytes {
  readonly all: number[] = [];

  put(...bytes: number[]): this {
    for (const byte of bytes) this.all.push(byte);
    return this;
  }

  u32(value: number): this {
    const word = new Uint8Array(4);
    writeU32(word, 0, value);
    return this.put(...word);
  }

  u64(value: number): this {
    const words = new Uint8Array(8);
    writeU64(words, 0, value);
    return this.put(...words);
  }

  uvarint(value: number): this {
    const bytes = new Uint8Array(10);
    return this.put(...bytes.subarray(0, writeUvarint(bytes, 0, value)));
  }

  text(text: string): this {
    const bytes = encoder.encode(text);
    return this.uvarint(bytes.length).put(...bytes);
  }

  section(body: Bytes): this {
    return this.u32(body.all.length)
      .put(...body.all)
      .crc(body.all);
  }

  crc(body: readonly number[]): this {
    return this.u32(crc32c(Uint8Array.from(body), 0, body.length));
  }

  pad(align: number): this {
    while (this.all.length % align !== 0) this.put(0);
    return this;
  }
}

/** Makes the index, without the sections that only older readers need. */
export function makeIndex({ symbols, series, lists }: IndexContent): Uint8Array {
  const index = new Bytes().u32(0xbaaad700).put(2);
  const body = new Bytes().u32(symbols.length);
  for (const symbol of symbols) body.text(symbol);
  index.section(body);
  const seriesAt = index.all.length;
  for (const entry of series) {
    index
      .pad(16)
      .uvarint(entry.length)
      .put(...entry)
      .crc([...entry]);
  }
  const seriesEnd = index.all.length;
  const table = new Bytes().u32(lists.length);
  for (const [name, value, ids] of lists) {
    index.pad(4);
    table.uvarint(2).text(name).text(value).uvarint(index.all.length);
    const list = new Bytes().u32(ids.length);
    for (const id of ids) list.u32(id);
    index.section(list);
  }
  const tableAt = index.all.length;
  index.section(table);
  const toc = new Bytes()
    .u64(5)
    .u64(seriesAt)
    .u64(seriesEnd)
    .u64(tableAt)
    .u64(seriesEnd)
    .u64(tableAt);
  index.put(...toc.all).crc(toc.all);
  return Uint8Array.from(index.all);
}

/** The ids that series of these entries get behind these symbols. */
export function idsOf({ symbols, series }: IndexContent): number[] {
  let at = 5 + 4 + 4 + 4;
  for (const symbol of symbols) at += 1 + encoder.encode(symbol).length;
  return series.map((entry) => {
    const start = Math.ceil(at / 16) * 16;
    at = start + 1 + entry.length + 4;
    return start / 16;
  });
}

/** Bytes from … until-1 whose checksum follows them. */
export interface CheckedRange {
  readonly from: number;
  readonly until: number;
}

/** All ranges of a well-formed index that carry a checksum. */
export function checkedRanges(index: Uint8Array): CheckedRange[] {
  const toc = index.length - 52;
  const [symbols, series, labelIndices, labelTable, postings, table] = [0, 8, 16, 24, 32, 40].map(
    (at) => readU64(index, toc + at),
  ) as [number, number, number, number, number, number];
  const ranges: CheckedRange[] = [{ from: toc, until: toc + 48 }];
  const section = (at: number): number => {
    const until = at + 4 + readU32(index, at);
    ranges.push({ from: at + 4, until });
    return until + 4;
  };
  section(symbols);
  section(table);
  if (labelTable < table) section(labelTable);
  const varints = new VarintReader();
  for (let at = Math.ceil(series / 16) * 16; at < labelIndices; at = Math.ceil(at / 16) * 16) {
    varints.reset(index, at, index.length);
    const length = varints.unsigned();
    ranges.push({ from: varints.at, until: varints.at + length });
    at = varints.at + length + 4;
  }
  for (let at = postings; at < Math.min(labelTable, table); at = Math.ceil(at / 4) * 4)
    at = section(at);
  return ranges;
}

/** Makes the checksum behind a range right again. */
export function mend(index: Uint8Array, { from, until }: CheckedRange): void {
  writeU32(index, until, crc32c(index, from, until));
}
