import {
  BAD_TIME,
  CONFLICT,
  LIMIT,
  NO_SERIES,
  OUT_OF_ORDER,
  StorageError,
  type RowStatus,
  type StorageErrorCode,
} from "@varve/contracts";

/** Most characters of a label set that a message repeats. */
const LABELS_SHOWN_MAX = 200;

/** The typed error for a row that was refused. `series` says which series, in any readable form. */
export function rowError(status: RowStatus, series: unknown, time: number): StorageError {
  const name = describe(series);
  const facts = { time, series: name };
  const [code, reason] = REASONS[status] ?? (["LIMIT", "was refused"] as const);
  return new StorageError(code, `${name} at ${time}: ${reason}; the row was not written`, {
    facts,
  });
}

/** The error for a row of a batch that has neither a key nor a ref that was issued. */
export function unnamedError(row: number, ref: number): StorageError {
  const reason =
    ref === NO_SERIES ? "neither a key nor a ref" : `ref ${ref}, which no series has now`;
  return new StorageError(
    "INPUT",
    `row ${row} of the batch has ${reason}; nothing of the batch was written; ` +
      "add the row with its labels, or with a ref that this engine gave",
    { facts: { row, ref } },
  );
}

const REASONS: { readonly [status: RowStatus]: readonly [StorageErrorCode, string] } = {
  [BAD_TIME]: ["BAD_TIME", "the time is not a safe integer of milliseconds"],
  [CONFLICT]: ["CONFLICT", "the series has another value at this time"],
  [OUT_OF_ORDER]: [
    "OUT_OF_ORDER",
    "the series has a later sample, or its time is in a block that is cut",
  ],
  [LIMIT]: [
    "LIMIT",
    "no room for the series: seriesMax, memoryBytesMax or allocatorBytesMax is reached",
  ],
};

/** Labels come from anybody: what cannot be shown must not hide why the row was refused. */
function describe(series: unknown): string {
  const text = typeof series === "string" ? series : shown(series);
  return text.length > LABELS_SHOWN_MAX ? `${text.slice(0, LABELS_SHOWN_MAX)}…` : text;
}

function shown(series: unknown): string {
  try {
    return JSON.stringify(series) ?? typeof series;
  } catch {
    return `labels of type ${typeof series}`;
  }
}
