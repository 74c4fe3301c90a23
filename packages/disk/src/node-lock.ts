import fs from "node:fs";
import os from "node:os";
import type { DatabaseSync } from "node:sqlite";
import { isStorageError, type Disk, type DiskLock } from "@varve/contracts";
import { diskFailure, lockedFailure } from "./failure.ts";

/** SQLite's SQLITE_BUSY, in the lower byte of its codes. */
const BUSY = 5;
/** Whoever is refused waits this long for the holder to say who it is, in milliseconds. It does so at once. */
const HOLDER_MS_MAX = 200;
/** Between two looks, in milliseconds; half as much more by chance, so that openers do not go in step. */
const LOOK_MS = 4;

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
}

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
  const connection = connectInTime(path);
  const info = `${path}.info`;
  try {
    // By path: SQLite makes files that others may read.
    for (const name of [path, `${path}-journal`])
      if (fs.existsSync(name)) fs.chmodSync(name, 0o600);
    writeHolder(info);
  } catch (cause) {
    connection.close();
    throw isStorageError(cause) ? cause : diskFailure("lock", info, codeOf(cause), cause);
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

/**
 * Takes the lock, or is refused once it is known who holds it, within bounds. A holder that has not said so has only
 * just come, or is about to go: the lock is tried again.
 */
function connectInTime(path: string): DatabaseSync {
  const startMs = performance.now();
  for (;;) {
    try {
      return connect(path);
    } catch (cause) {
      if (!isBusy(cause)) throw diskFailure("lock", path, codeOf(cause), cause);
      const holder = readHolder(`${path}.info`);
      const isOver = performance.now() - startMs >= HOLDER_MS_MAX;
      if (holder !== null || isOver) throw lockedFailure(path, holder ?? {}, cause);
    }
    sleep(LOOK_MS * (1 + Math.random() / 2));
  }
}

/**
 * One attempt. SQLite's "reserved" lock is taken in one step, and those that it refuses are in nobody's way; an
 * exclusive one is taken in several, and two that are between them refuse each other.
 */
function connect(path: string): DatabaseSync {
  const Database = loadDatabase();
  const connection = new Database(path);
  try {
    connection.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE");
    return connection;
  } catch (cause) {
    connection.close();
    throw cause;
  }
}

function isBusy(cause: unknown): boolean {
  const code = cause instanceof Error && "errcode" in cause ? cause.errcode : undefined;
  return typeof code === "number" && (code & 0xff) === BUSY;
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function writeHolder(path: string): void {
  const { pid } = process;
  const holder: Holder = { pid, host: os.hostname(), since: new Date().toISOString() };
  // Written aside and renamed: whoever is refused never reads half of it.
  fs.rmSync(`${path}.tmp`, { force: true });
  fs.writeFileSync(`${path}.tmp`, `${JSON.stringify(holder)}\n`, { mode: 0o600, flag: "wx" });
  fs.renameSync(`${path}.tmp`, path);
}

/** Who holds the lock, unless that is not said yet, or by one that is dead: what it left stays until the next holder comes. */
function readHolder(path: string): Holder | null {
  try {
    const holder: unknown = JSON.parse(fs.readFileSync(path, "utf8"));
    if (typeof holder !== "object" || holder === null) return null;
    const { pid, host, since } = holder as Record<string, unknown>;
    if (typeof pid !== "number" || typeof host !== "string" || typeof since !== "string") {
      return null;
    }
    return host === os.hostname() && isDead(pid) ? null : { pid, host, since };
  } catch {
    return null; // The holder has not written it yet, or somebody removed it: the lock counts, not this.
  }
}

function isDead(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (cause) {
    return codeOf(cause) === "ESRCH";
  }
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "UNKNOWN";
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
