import { placeOf, PLACE_SPAN } from "./format.ts";
import { AFTER_FOREIGN, AFTER_LOST, type FoundFile, type Gap } from "./sealed-scan.ts";

/** A file of the chain: its records up to `end` count. */
export interface ChainedFile {
  readonly file: FoundFile;
  end: number;
}

export interface Chain {
  /** Oldest first. */
  readonly files: ChainedFile[];
  /** Files that no chain reaches: a crash or a failed sync cut them off. */
  readonly strays: FoundFile[];
  /** Damage inside what was durable, by file number: the chunks there are lost. */
  readonly damage: { readonly number: number; readonly gap: Gap }[];
  /** Where the last record ends, and up to where all was known to be durable. */
  readonly end: number;
  readonly durable: number;
}

/**
 * Decides which records count, oldest file first.
 *
 * What is beyond the last durable place counts only without a hole: a chunk behind one could stand for
 * a series whose chunk before it is lost, and the log would then refuse to fill it. Damage in
 * what was durable is passed over instead: the records behind it stay.
 */
export function chainFiles(found: readonly FoundFile[]): Chain {
  const durable = found.reduce((most, file) => Math.max(most, file.durable), 0);
  const files: ChainedFile[] = [];
  for (const file of found) {
    const { after } = file;
    const begins = placeOf(file.number, 0);
    const isLinked =
      after === AFTER_FOREIGN ||
      (after !== AFTER_LOST && (after <= durable || reaches(files, after)));
    if (!isLinked && begins >= durable) continue;
    if (after >= 0) cut(files, after);
    files.push({ file, end: soundEnd(file, durable) });
  }
  const kept = new Set(files.map(({ file }) => file.number));
  const last = files.at(-1);
  const end = last === undefined ? 0 : placeOf(last.file.number, last.end);
  return {
    files,
    strays: found.filter((file) => !kept.has(file.number)),
    damage: files.flatMap(({ file, end: until }) =>
      file.gaps.filter((gap) => gap.from < until).map((gap) => ({ number: file.number, gap })),
    ),
    end,
    durable: Math.min(durable, end),
  };
}

/** Whether the chain goes at least as far as a place. */
function reaches(files: readonly ChainedFile[], place: number): boolean {
  if (place === 0) return true;
  const number = Math.floor(place / PLACE_SPAN);
  return files.some(({ file, end }) => file.number === number && placeOf(number, end) >= place);
}

/** Voids what lies behind a place. */
function cut(files: ChainedFile[], place: number): void {
  while (files.length > 0 && placeOf(files.at(-1)!.file.number, 0) >= place) files.pop();
  const last = files.at(-1);
  if (last === undefined) return;
  const number = Math.floor(place / PLACE_SPAN);
  if (last.file.number === number) last.end = Math.min(last.end, place - placeOf(number, 0));
}

/** Where the records of a file end that can be relied on: before the first gap that was not durable. */
function soundEnd(file: FoundFile, durable: number): number {
  const hole = file.gaps.find((gap) => placeOf(file.number, gap.from) >= durable);
  return hole === undefined ? file.size : hole.from;
}
