import { fileOf, placeOf } from "./format.ts";
import { AFTER_FOREIGN, AFTER_LOST, type FoundFile, type Gap } from "./sealed-scan.ts";

/** A file of the chain: its records up to `end` count. Infinite when all of them do. */
export interface ChainedFile {
  readonly file: FoundFile;
  end: number;
}

/** A stretch that counts and is damaged, by the number of its file. It may reach beyond the file's end. */
export interface Damage {
  readonly number: number;
  readonly gap: Gap;
}

export interface Chain {
  /** Oldest first. */
  readonly files: ChainedFile[];
  /** Files of which nothing counts. */
  readonly voids: FoundFile[];
  /** Damage inside what counts: the chunks there are lost. */
  readonly damage: readonly Damage[];
  /** The furthest place that a mark states. */
  readonly trusted: number;
  /** Files whose marks state it. */
  readonly witnesses: number;
}

/**
 * Decides which records count: those below the trusted place, without what a later file's first mark voids.
 *
 * Beyond the trusted place sound records are void too: the log may have lost the batches that brought them,
 * and if not, it tells them again. Below it all was synced, so a hole is damage: it is passed over, and the
 * records behind it stay. So is an end before the trusted place, or before the one after which a later file was begun.
 * A foreign file has no marks and knows no log: it counts up to its first hole.
 */
export function chainFiles(foundFiles: readonly FoundFile[]): Chain {
  const found = withLives(foundFiles);
  const trusted = found.reduce((most, file) => Math.max(most, file.stated), 0);
  const files: ChainedFile[] = [];
  for (const file of found) {
    const { after, number } = file;
    if (after === AFTER_FOREIGN) {
      files.push({ file, end: file.gaps[0]?.from ?? file.size });
      continue;
    }
    if (placeOf(number, 0) >= trusted) continue;
    if (after >= 0) cut(files, after);
    const isLast = fileOf(trusted) === number;
    files.push({ file, end: isLast ? trusted - placeOf(number, 0) : Number.POSITIVE_INFINITY });
  }
  const kept = new Set(files.map(({ file }) => file.number));
  return {
    files,
    voids: found.filter((file) => !kept.has(file.number)),
    damage: files.flatMap((each) =>
      damageOf(each).map((gap) => ({ number: each.file.number, gap })),
    ),
    trusted,
    witnesses: found.filter(({ stated }) => stated === trusted).length,
  };
}

/** A file of which the first mark is lost, and that was the first of its life, was begun where others of that life say. */
function withLives(found: readonly FoundFile[]): readonly FoundFile[] {
  if (found.every(({ after }) => after !== AFTER_LOST)) return found;
  const afters = new Map<number, number>();
  for (const { life } of found) if (life !== undefined) afters.set(life.file, life.after);
  return found.map((file) =>
    file.after === AFTER_LOST ? { ...file, after: afters.get(file.number) ?? AFTER_LOST } : file,
  );
}

/** Voids what lies behind a place in files of ours. They are in order, so only the last ones are looked at. */
function cut(files: ChainedFile[], place: number): void {
  const number = fileOf(place);
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

/** Stretches of what counts that are no records, or not there. */
function damageOf({ file, end }: ChainedFile): Gap[] {
  const { gaps, size } = file;
  const damage = gaps
    .filter(({ from }) => from < end)
    .map(({ from, until }) => ({ from, until: Math.min(until, end) }));
  if (size >= end || end === Number.POSITIVE_INFINITY) return damage;
  // A record that the file's end cuts in two is one stretch with what is missing behind it.
  const from = damage.at(-1)?.until === size ? damage.pop()!.from : size;
  damage.push({ from, until: end });
  return damage;
}
