import { StorageError, type Lsn } from "@varve/contracts";
import type { FaultKind } from "./fragments.ts";
import { VERSION } from "./layout.ts";

/** What is wrong, and where. */
export interface Fault {
  readonly segment: number;
  readonly kind: FaultKind;
  readonly text: string;
  readonly offset: number;
  readonly lsnExpected: Lsn;
}

/** What lies behind damage in the same file. */
export interface Evidence {
  /** A batch that a later record says was durable. */
  readonly durable: Lsn;
  readonly firstLsn: Lsn;
  readonly lastLsn: Lsn;
}

export const NOTHING_AFTER: Evidence = { durable: 0, firstLsn: 0, lastLsn: 0 };

/** Says what is damaged, what is safe and what to do: WAL_CORRUPT. */
export function corruptError(
  path: string,
  fault: Fault,
  evidence: Evidence,
  hasLater: boolean,
): StorageError {
  const { segment, kind, offset, lsnExpected } = fault;
  const { firstLsn, lastLsn } = evidence;
  const before =
    lsnExpected > 1 ? `batches up to ${lsnExpected - 1} are intact` : "none is intact before it";
  const after = firstLsn > 0 ? `; ${firstLsn} to ${lastLsn} look intact` : "";
  const segments = hasLater ? "; later segments exist" : "";
  return new StorageError(
    "WAL_CORRUPT",
    `${path}@${offset}: ${fault.text}, at batch ${lsnExpected}; ${before}${after}${segments}; nothing was changed; ` +
      'copy the directory, then open it with recovery: "pointInTime" or "salvage"',
    {
      facts: {
        path,
        segment,
        offset,
        kind,
        lsnExpected,
        ackedDataAffected: evidence.durable >= lsnExpected ? true : "unknown",
        recoverableBefore: lsnExpected - 1,
        recoverableAfter: firstLsn === 0 ? 0 : lastLsn - firstLsn + 1,
      },
    },
  );
}

/** Throws UNSUPPORTED_VERSION for a private record that a newer version wrote. */
export function checkVersion(version: number, path: string, offset: number): void {
  if (version <= VERSION) return;
  throw new StorageError(
    "UNSUPPORTED_VERSION",
    `${path}@${offset}: written by a newer version (record version ${version}, known are up to ${VERSION}); ` +
      "nothing was changed; open it with that version",
    { facts: { path, offset, value: version, max: VERSION } },
  );
}

export function foreignError(path: string, lsnExpected: Lsn): StorageError {
  return new StorageError(
    "WAL_CORRUPT",
    `${path}@0: the segment belongs to another store; nothing was changed; move the file away`,
    { facts: { path, offset: 0, kind: "header", lsnExpected } },
  );
}
