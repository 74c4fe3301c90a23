import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";

/** Where and with what figures were measured. */
export interface Environment {
  /** The commit, with `+` when sources differ from it; null without git. */
  readonly commit: string | null;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly os: string;
  readonly dir: string;
  readonly seed: number;
  readonly date: string;
  /** Load of the last minute when the run began: work of others that the figures contain. */
  readonly load: number;
}

/** Looks around once, before a run. */
export function environmentOf({ dir, seed }: { dir: string; seed: number }): Environment {
  return {
    commit: commitOf(),
    node: process.version,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    os: `${type()} ${release()} ${process.arch}`,
    dir,
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
    `Node ${node}${commit === null ? "" : `, varve at ${commit}`}, seed ${seed}, ${date.slice(0, 16)}Z`,
  ];
}

function commitOf(): string | null {
  try {
    const isChanged = git("status", "--porcelain", "--", "../packages", "../apps", ".") !== "";
    return git("rev-parse", "--short=12", "HEAD") + (isChanged ? "+" : "");
  } catch {
    return null;
  }
}

function git(...args: string[]): string {
  const said = execFileSync("git", args, {
    cwd: new URL("..", import.meta.url), // bench/, whatever the shell's directory is.
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return said.trim();
}
