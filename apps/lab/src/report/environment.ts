import { execFileSync } from "node:child_process";
import { readFileSync, realpathSync, statfsSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem, type } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where and with what figures were measured. */
export interface Environment {
  readonly varve: string;
  /** The commit, with `+` when sources differ from it; null outside varve's own repository. */
  readonly commit: string | null;
  readonly node: string;
  readonly v8: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly os: string;
  readonly dir: string;
  readonly fileSystem: string;
  readonly seed: number;
  readonly date: string;
  /** Load of the last minute when the run began: work of others that the figures contain. */
  readonly load: number;
}

/** What `statfs` calls the file systems that one meets. */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0x1a: "apfs",
  0xef53: "ext4",
  0x6969: "nfs",
  0x01021994: "tmpfs",
  0x2fc12fc1: "zfs",
  0x58465342: "xfs",
  0x794c7630: "overlay",
  0x9123683e: "btrfs",
  0xf2f52010: "f2fs",
};

/** Looks around once, before a run. */
export function environmentOf(options: {
  readonly dir?: string;
  readonly seed: number;
}): Environment {
  const { dir = tmpdir(), seed } = options;
  const processors = cpus();
  return {
    varve: ownVersion(),
    commit: ownCommit(),
    node: process.version,
    v8: process.versions.v8,
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    os: `${type()} ${release()} ${process.arch}`,
    dir,
    fileSystem: fileSystemOf(dir),
    seed,
    date: new Date().toISOString(),
    load: loadavg()[0] ?? 0,
  };
}

/** The environment in two lines, for the foot of a table. */
export function environmentLines(environment: Environment): string[] {
  const { cpu, cores, os, node, varve, commit, fileSystem, seed, load, date } = environment;
  return [
    `${cpu}, ${cores} cores, load ${load.toFixed(1)}; ${os}; stores on ${fileSystem}`,
    `Node ${node}, varve ${varve}${commit === null ? "" : ` at ${commit}`}, seed ${seed}, ${date.slice(0, 16)}Z`,
  ];
}

const PACKAGE_DIR = dirname(fileURLToPath(new URL("../../package.json", import.meta.url)));

/** The lab's own version. */
export function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(PACKAGE_DIR, "package.json"), "utf8"));
  return (manifest as { version: string }).version;
}

function ownCommit(): string | null {
  try {
    // Somebody else's repository may hold us in its node_modules: that commit would say nothing.
    const top = git("rev-parse", "--show-toplevel");
    if (realpathSync(PACKAGE_DIR) !== join(realpathSync(top), "apps", "lab")) return null;
    const isChanged = git("status", "--porcelain", "--", join(top, "packages"), PACKAGE_DIR) !== "";
    return git("rev-parse", "--short=12", "HEAD") + (isChanged ? "+" : "");
  } catch {
    return null; // No git, or no repository.
  }
}

function git(...args: string[]): string {
  const said = execFileSync("git", args, {
    cwd: PACKAGE_DIR,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return said.trim();
}

function fileSystemOf(dir: string): string {
  try {
    const magic = statfsSync(dir).type;
    return FILE_SYSTEMS[magic] ?? `0x${magic.toString(16)}`;
  } catch {
    return "unknown";
  }
}
