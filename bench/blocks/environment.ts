import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";

/** Where and with what figures were measured. */
export interface Environment {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly os: string;
  readonly node: string;
  /** With `+` when sources differ from it; null outside a repository. */
  readonly commit: string | null;
  readonly seed: number;
  readonly date: string;
  /** Load of the last minute when the run began: work of others that the figures contain. */
  readonly load: number;
}

/** Looks around once, before a run. */
export function environmentOf(seed: number): Environment {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    os: `${type()} ${release()} ${process.arch}`,
    node: process.version,
    commit: commit(),
    seed,
    date: new Date().toISOString(),
    load: loadavg()[0] ?? 0,
  };
}

function commit(): string | null {
  try {
    const isChanged = git("status", "--porcelain", "--", "../../packages", ".") !== "";
    return git("rev-parse", "--short=12", "HEAD") + (isChanged ? "+" : "");
  } catch {
    return null; // No git, or no repository.
  }
}

function git(...args: string[]): string {
  const options = { cwd: import.meta.dirname, encoding: "utf8", stdio: "pipe" } as const;
  return execFileSync("git", args, options).trim();
}
