import { placeOf, PLACE_SPAN } from "./format.ts";
import { AFTER_FOREIGN, type FoundFile, type Gap } from "./sealed-scan.ts";

/** A file of the chain: its records up to `end` count. */
export interface ChainedFile {
  readonly file: FoundFile;
  end: number;
}

export interface Chain {
  /** Oldest first. */
  readonly files: ChainedFile[];
  /** Files of which nothing counts. */
  readonly voids: FoundFile[];
  /** Damage inside what counts, by file number: the chunks there are lost. */
  readonly damage: { readonly number: number; readonly gap: Gap }[];
  /** The furthest place that a mark states. */
  readonly trusted: number;
}

/**
 * Decides which records count: those below the trusted place, without what a later file's first mark voids.
 *
 * Beyond the trusted place sound records are void too: the log may have lost the batches that brought them,
 * and if not, it tells them again. Below it all was synced, so a hole is damage: it is passed over, and the
 * records behind it stay. A foreign file has no marks and knows no log: it counts up to its first hole.
 */
export function chainFiles(found: readonly FoundFile[]): Chain {
  const trusted = found.reduce((most, file) => Math.max(most, file.stated), 0);
  const files: ChainedFile[] = [];
  for (const file of found) {
    const { after, size } = file;
    const begins = placeOf(file.number, 0);
    if (after === AFTER_FOREIGN) {
      files.push({ file, end: file.gaps[0]?.from ?? size });
      continue;
    }
    if (begins >= trusted) continue;
    if (after >= 0) cut(files, after);
    files.push({ file, end: Math.min(size, trusted - begins) });
  }
  const kept = new Set(files.map(({ file }) => file.number));
  return {
    files,
    voids: found.filter((file) => !kept.has(file.number)),
    damage: files.flatMap(({ file, end }) =>
      file.gaps
        .filter(({ from }) => from < end)
        .map(({ from, until }) => ({
          number: file.number,
          gap: { from, until: Math.min(until, end) },
        })),
    ),
    trusted,
  };
}

/** Voids what lies behind a place in files of ours. They are in order, so only the last ones are looked at. */
function cut(files: ChainedFile[], place: number): void {
  const number = Math.floor(place / PLACE_SPAN);
  const foreign: ChainedFile[] = [];
  while (files.length > 0 && files.at(-1)!.file.number > number) {
    const last = files.pop()!;
    if (last.file.after === AFTER_FOREIGN) foreign.push(last);
  }
  const last = files.at(-1);
  if (last !== undefined && last.file.number === number && last.file.after !== AFTER_FOREIGN) {
    last.end = Math.min(last.end, place - placeOf(number, 0));
  }
  files.push(...foreign.reverse());
}
