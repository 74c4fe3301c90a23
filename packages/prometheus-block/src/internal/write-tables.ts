import { crc32c } from "@varve/bytes";
import type { Pause } from "@varve/contracts";
import {
  CRC_BYTES,
  LABEL_TABLE_PARTS,
  LENGTH_BYTES,
  POSTINGS_TABLE_PARTS,
  SECTION_ALIGN,
  TOC_BYTES,
} from "./layout.ts";
import type { Symbols } from "./symbols.ts";
import type { OutputFile } from "./write-output.ts";
import { ALL_PAIR, type Pairs } from "./write-pairs.ts";

/** Entries that are written without asking for a pause. */
const PIECE_ENTRIES = 512;

/** What the tables are made from. */
export interface TableSource {
  readonly out: OutputFile;
  readonly symbols: Symbols;
  readonly pairs: Pairs;
  readonly pause: Pause;
}

/** Writes all symbols with ordinals in order: the index's first section. */
export async function writeSymbols(out: OutputFile, symbols: Symbols, pause: Pause): Promise<void> {
  out.beginSection();
  out.putU32(symbols.count);
  for (let ordinal = 0; ordinal < symbols.count; ordinal += 1) {
    putSymbol(out, symbols, ordinal);
    if (ordinal % PIECE_ENTRIES === PIECE_ENTRIES - 1) await pause();
  }
  out.endSection();
}

/** Where the label index of a name lies. */
export interface LabelIndex {
  readonly name: number;
  readonly offset: number;
}

/** Writes for each name the list of its values: a section that current Prometheus neither writes nor reads. */
export async function writeLabelIndices(source: TableSource): Promise<LabelIndex[]> {
  const { out, pairs, pause } = source;
  const indices: LabelIndex[] = [];
  for (let place = ALL_PAIR + 1; place < pairs.placed;) {
    const name = pairs.nameAt(place);
    const end = await endOfName(pairs, place, pause);
    out.pad(SECTION_ALIGN);
    indices.push({ name, offset: out.position });
    out.beginSection();
    out.putU32(1);
    out.putU32(end - place);
    for (; place < end; place += 1) {
      out.putU32(pairs.valueAt(place));
      if (place % PIECE_ENTRIES === 0) await pause();
    }
    out.endSection();
  }
  return indices;
}

/** Writes where each name's label index lies. */
export function writeLabelTable(source: TableSource, indices: readonly LabelIndex[]): void {
  const { out, symbols } = source;
  out.beginSection();
  out.putU32(indices.length);
  for (const { name, offset } of indices) {
    out.putUvarint(LABEL_TABLE_PARTS);
    putSymbol(out, symbols, name);
    out.putUvarint(offset);
  }
  out.endSection();
}

/** Writes where each pair's postings lie. The lists stand in the order of the pairs, the first one at `postingsAt`. */
export async function writePostingsTable(source: TableSource, postingsAt: number): Promise<void> {
  const { out, symbols, pairs, pause } = source;
  out.beginSection();
  out.putU32(pairs.placed);
  let offset = postingsAt;
  for (let place = 0; place < pairs.placed; place += 1) {
    out.putUvarint(POSTINGS_TABLE_PARTS);
    putSymbol(out, symbols, pairs.nameAt(place));
    putSymbol(out, symbols, pairs.valueAt(place));
    out.putUvarint(offset);
    offset += LENGTH_BYTES + 4 + 4 * pairs.countAt(place) + CRC_BYTES;
    if (place % PIECE_ENTRIES === PIECE_ENTRIES - 1) await pause();
  }
  out.endSection();
}

/** Writes the table of contents: offsets in the order of the TOC_… places. */
export function writeToc(out: OutputFile, offsets: readonly number[]): void {
  out.reserve(TOC_BYTES);
  const from = out.at;
  for (const offset of offsets) out.putU64(offset);
  out.putU32(crc32c(out.buffer, from, out.at));
}

/** Where the pairs of the name end whose first pair is at `place`. */
async function endOfName(pairs: Pairs, place: number, pause: Pause): Promise<number> {
  const name = pairs.nameAt(place);
  let end = place + 1;
  for (; end < pairs.placed && pairs.nameAt(end) === name; end += 1) {
    if (end % PIECE_ENTRIES === 0) await pause();
  }
  return end;
}

function putSymbol(out: OutputFile, symbols: Symbols, ordinal: number): void {
  const id = symbols.idAt(ordinal);
  const start = symbols.start(id);
  const length = symbols.length(id);
  out.putUvarint(length);
  out.putBytes(symbols.page(id), start, start + length);
}
