import { readFileSync } from "node:fs";
import { Broken } from "../../row.ts";

/** What has to stand before a program so that `trace` lists its syncs, with the files' names. */
export function tracing(trace: string): readonly string[] {
  // Beside the program, not above it: whoever kills the program kills it, and not its observer.
  return ["strace", "-D", "-f", "-qq", "-y", "-e", "trace=fdatasync,fsync", "-o", trace, "--"];
}

/** The lock's own files, which hold nothing: SQLite syncs them as it likes. */
const LOCK = /\/LOCK(?:-journal)?$/;

/** Reads a list of syncs. Throws if one was tried again after it had failed; returns how many failed. */
export function failedSyncs(trace: string): number {
  const failed = new Set<string>();
  const running = new Map<string, string>();
  for (const line of readFileSync(trace, "utf8").split("\n")) {
    const thread = line.split(" ", 1)[0]!;
    const begun = /f(?:data)?sync\(\d+<(.*?)>/.exec(line)?.[1];
    if (begun !== undefined && !LOCK.test(begun)) {
      if (failed.has(begun)) throw new Broken("wrong", `a failed sync was tried again: ${line}`);
      running.set(thread, begun);
    }
    const path = running.get(thread);
    if (line.includes(" = -1 ") && path !== undefined) failed.add(path);
    if (line.includes(" = ")) running.delete(thread);
  }
  return failed.size;
}
