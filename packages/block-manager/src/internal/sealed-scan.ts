import { StorageError } from "@varve/contracts";
import {
  fileOf,
  HEADER_BYTES,
  headerState,
  type Life,
  LIFE_AFTER_MARK_AT,
  LIFE_FILE_MARK_AT,
  placeOf,
  RecordView,
} from "./format.ts";

/** A chunk that a file of `sealed/` holds. */
export interface FoundChunk {
  readonly ref: number;
  readonly minTime: number;
  readonly maxTime: number;
  readonly count: number;
  /** Where its record begins in the file, and how long its data is. */
  readonly offset: number;
  readonly length: number;
}

/** Bytes of a file that are no record: from … until-1. */
export interface Gap {
  readonly from: number;
  readonly until: number;
}

/** What a file of `sealed/` holds, before it is decided how much of it counts. */
export interface FoundFile {
  readonly number: number;
  readonly size: number;
  readonly chunks: FoundChunk[];
  readonly gaps: Gap[];
  /** The place after which it was begun; 0 for the first, -1 when that is lost, -2 when it never had a mark. */
  readonly after: number;
  /** The life that wrote it; undefined when that is lost, or was never written. */
  readonly life: Life | undefined;
  /** The furthest place that its marks state. */
  readonly stated: number;
  /** Highest ref of its chunks. */
  readonly refMax: number;
}

/** `FoundFile.after` of a file whose beginning is lost. */
export const AFTER_LOST = -1;
/** `FoundFile.after` of a file that another program wrote: it has no marks. */
export const AFTER_FOREIGN = -2;

/**
 * How often each byte of a file may be looked at for records that are none. Damage costs less than one; bytes that
 * were made for it would cost the square of their number, and what follows them counts as damaged.
 */
const LOOKS_MAX = 16;

export interface ScanOptions {
  readonly number: number;
  /** Named in errors. */
  readonly path: string;
  readonly encoding: number;
  storedCount(bytes: Uint8Array, at: number, length: number): number;
}

/** Finds every record in a file's bytes, also behind damage. Throws UNSUPPORTED_VERSION for what it must not touch. */
export function scanFile(bytes: Uint8Array, options: ScanOptions): FoundFile {
  const { number, path, encoding } = options;
  const size = bytes.length;
  const chunks: FoundChunk[] = [];
  const gaps: Gap[] = [];
  const state = headerState(bytes, size);
  if (state === "newer") throw unsupported(path, `version ${bytes[4]}`);
  const view = new RecordView();
  const begins = placeOf(number, 0);
  let after = AFTER_LOST;
  let lifeBegins = 0;
  let life: Life | undefined;
  let hasMarks = false;
  let stated = 0;
  let refMax = 0;
  let at = state === "ours" ? HEADER_BYTES : 0;
  while (at < size) {
    if (!view.parse(bytes, at, size)) {
      const from = at;
      do at = view.wastedBytes > LOOKS_MAX * size ? size : at + 1;
      while (at < size && !view.parse(bytes, at, size));
      gaps.push({ from, until: at });
      continue;
    }
    if (view.isMark) {
      hasMarks = true;
      const { minTime } = view;
      // Marks behind the beginning name places in the file itself.
      if (at === HEADER_BYTES && minTime < begins) after = minTime;
      else if (at === LIFE_FILE_MARK_AT && minTime <= begins) lifeBegins = minTime;
      else if (at === LIFE_AFTER_MARK_AT && lifeBegins > 0 && minTime < lifeBegins) {
        life = { file: fileOf(lifeBegins), after: minTime };
      }
      stated = Math.max(stated, view.maxTime);
    } else {
      if (view.encoding !== encoding) throw unsupported(path, `chunk encoding ${view.encoding}`);
      if (at === HEADER_BYTES && state === "ours") after = AFTER_FOREIGN;
      const { ref, minTime, maxTime, dataAt, length } = view;
      const count = options.storedCount(bytes, dataAt, length);
      refMax = Math.max(refMax, ref);
      chunks.push({ ref, minTime, maxTime, count, offset: at, length });
    }
    at = view.end;
  }
  if (hasMarks && after === AFTER_FOREIGN) after = AFTER_LOST;
  return { number, size, chunks, gaps, after, life, stated, refMax };
}

function unsupported(path: string, what: string): StorageError {
  return new StorageError(
    "UNSUPPORTED_VERSION",
    `${path} has ${what}, which this version does not read; nothing was changed`,
    { facts: { path } },
  );
}
