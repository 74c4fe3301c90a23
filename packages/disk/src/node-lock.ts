import fs from "node:fs";
import os from "node:os";
import type { DatabaseSync } from "node:sqlite";
import { isStorageError, type Disk, type DiskLock } from "@varve/contracts";
import { diskFailure, lockedFailure } from "./failure.ts";

/** SQLite's SQLITE_BUSY. */
const BUSY = 5;

/** Held connections: a collected one would close, and so let the lock go. */
const held = new Set<DatabaseSync>();

/**
 * Takes an exclusive SQLite lock on the file at `path`: the system frees it when the process dies, so
 * it is never stale. It also excludes other openers in this process and its workers.
 *
 * Nothing else may open that file: closing any descriptor of it would drop the lock. Who holds it
 * stands in a file of its own, `path` + ".info".
 */
export function takeLock(disk: Disk, path: string): DiskLock {
  const kind = disk.kind(path);
  if (kind === "other") throw diskFailure("lock", path, "ELOOP");
  if (kind === "directory") throw diskFailure("lock", path, "EISDIR");
  const connection = connect(path);
  const info = `${path}.info`;
  try {
    fs.chmodSync(path, 0o600); // By path: SQLite makes files that others may read.
    writeHolder(info);
  } catch (cause) {
    connection.close();
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "UNKNOWN";
    throw isStorageError(cause) ? cause : diskFailure("lock", info, code, cause);
  }
  held.add(connection);
  return {
    release(): void {
      if (!held.delete(connection)) return;
      try {
        fs.rmSync(info, { force: true }); // Before the lock goes: afterwards it may be another's.
      } catch {
        // It says who held the lock, and nobody believes it: on a disk that fails, what failed first counts.
      } finally {
        connection.close();
      }
    },
  };
}

function connect(path: string): DatabaseSync {
  const Database = loadDatabase();
  let connection: DatabaseSync | undefined;
  try {
    connection = new Database(path);
    connection.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return connection;
  } catch (cause) {
    connection?.close();
    const busy = cause instanceof Error && "errcode" in cause && cause.errcode === BUSY;
    if (busy) throw lockedFailure(path, readHolder(`${path}.info`), cause);
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "UNKNOWN";
    throw diskFailure("lock", path, code, cause);
  }
}

function writeHolder(path: string): void {
  const holder = { pid: process.pid, host: os.hostname(), since: new Date().toISOString() };
  // Written aside and renamed: whoever is refused never reads half of it.
  fs.rmSync(`${path}.tmp`, { force: true });
  fs.writeFileSync(`${path}.tmp`, `${JSON.stringify(holder)}\n`, { mode: 0o600, flag: "wx" });
  fs.renameSync(`${path}.tmp`, path);
}

function readHolder(path: string): { pid?: number; host?: string; since?: string } {
  try {
    const holder: unknown = JSON.parse(fs.readFileSync(path, "utf8"));
    if (typeof holder !== "object" || holder === null) return {};
    const { pid, host, since } = holder as Record<string, unknown>;
    if (typeof pid !== "number" || typeof host !== "string" || typeof since !== "string") return {};
    return { pid, host, since };
  } catch {
    return {}; // The holder has not written it yet, or somebody removed it: the lock counts, not this.
  }
}

/** Loads SQLite at the first lock. Node 22 warns that it is experimental, which is no user's concern here. */
function loadDatabase(): typeof DatabaseSync {
  const warning = Object.getOwnPropertyDescriptor(process, "emitWarning");
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule("node:sqlite").DatabaseSync;
  } finally {
    if (warning !== undefined) Object.defineProperty(process, "emitWarning", warning);
  }
}
