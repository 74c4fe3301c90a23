import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";

/** Where and with what figures were measured. */
export interface Environment {
  /** With `+` when sources differ from it; null outside a repository. */
  readonly commit: string | null;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly os: string;
  readonly seed: number;
  readonly date: string;
  /** Load of the last minute when the run began: work of others that the figures contain. */
  readonly load: number;
}

/** Looks around once, before a run. */
export function environmentOf(seed: number): Environment {
  return {
    commit: commitOf(),
    node: process.version,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    os: `${type()} ${release()} ${process.arch}`,
    seed,
    date: new Date().toISOString(),
    load: loadavg()[0] ?? 0,
  };
}

/** The environment in two lines. */
export function environmentLines(environment: Environment): string[] {
  const { cpu, cores, load, os, node, commit, seed, date } = environment;
  return [
    `${cpu}, ${cores} cores, load ${load.toFixed(1)}; ${os}`,
    `Node ${node}, commit ${commit ?? "unknown"}, seed ${seed}, ${date.slice(0, 16)}Z`,
  ];
}

/** The commit. Results are no sources: those of the last run are being replaced. */
function commitOf(): string | null {
  try {
    const sources = ["../packages", "../apps", ".", ":!results"];
    const isChanged = git("status", "--porcelain", "--", ...sources) !== "";
    return git("rev-parse", "--short=12", "HEAD") + (isChanged ? "+" : "");
  } catch {
    return null; // No git, or no repository.
  }
}

/** Whether two commits have the same packages and apps: only measuring changed between them. */
export function isSameProduct(one: string | null, other: string | null): boolean {
  if (one === other) return true;
  if (one === null || other === null || `${one}${other}`.includes("+")) return false;
  try {
    git("diff", "--quiet", one, other, "--", "../packages", "../apps", "../pnpm-lock.yaml");
    return true;
  } catch {
    return false; // They differ, or one is not known here.
  }
}

function git(...args: string[]): string {
  const options = { cwd: import.meta.dirname, encoding: "utf8", stdio: "pipe" } as const;
  return execFileSync("git", args, options).trim();
}
