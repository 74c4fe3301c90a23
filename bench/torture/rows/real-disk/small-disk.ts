import type { Random } from "@varve/bytes";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const KIB = 1024;
const BYTES_AFTER = 64 * KIB * KIB;
const INODES_AFTER = 10_000;
/** What another program has: enough that its room and its names let a store cut and merge what it has. */
const FILLER_BYTES = 16 * KIB * KIB;
const FILLERS = 512;

/** What there is too little of: room, names, or length that one file may have. */
export type Shortage = "bytes" | "inodes" | "fileBytes";
export const SHORTAGES: readonly Shortage[] = ["bytes", "inodes", "fileBytes"];

/** A file system in memory that is soon full, and has room again when it is asked for. Called in a room of mounts. */
export class SmallDisk {
  readonly dir: string;
  readonly #shortage: Shortage;
  /** Room comes back by what another program has removed, not by a larger file system. */
  readonly #isFilled: boolean;

  /** `bytes` is the room that a store has when bytes are short. */
  constructor(dir: string, shortage: Shortage, bytes: number, random: Random) {
    this.dir = dir;
    this.#shortage = shortage;
    this.#isFilled = shortage !== "fileBytes" && random.chance(0.5);
    mkdirSync(dir, { recursive: true });
    const filler = this.#isFilled ? FILLER_BYTES : 0;
    // A file system in memory spends one inode on its root.
    const inodes = 1 + 6 + random.below(40) + (this.#isFilled ? FILLERS + 1 : 0);
    const size = shortage === "bytes" ? bytes + filler : BYTES_AFTER;
    const most = shortage === "inodes" ? inodes : INODES_AFTER;
    run("mount", "-t", "tmpfs", "-o", `size=${size},nr_inodes=${most}`, "tmpfs", dir);
    if (this.#isFilled) this.#fill(filler);
    if (shortage === "fileBytes") limitFiles(String(KIB * (1 + random.below(31))));
  }

  /** There is room again. */
  relieve(): void {
    if (this.#shortage === "fileBytes") limitFiles("unlimited");
    else if (this.#isFilled) rmSync(join(this.dir, "filler"), { recursive: true });
    else {
      const options = `remount,size=${BYTES_AFTER},nr_inodes=${INODES_AFTER}`;
      run("mount", "-o", options, this.dir);
    }
  }

  unmount(): void {
    run("umount", this.dir);
  }

  #fill(bytes: number): void {
    const filler = join(this.dir, "filler");
    mkdirSync(filler);
    const each = Math.floor(bytes / FILLERS);
    for (let i = 0; i < FILLERS; i += 1) {
      const isLast = i === FILLERS - 1;
      const length = isLast ? bytes - each * (FILLERS - 1) : each;
      writeFileSync(join(filler, String(i)), new Uint8Array(length));
    }
  }
}

/** Of this process: a write beyond it fails. */
function limitFiles(bytes: string): void {
  run("prlimit", "--pid", String(process.pid), `--fsize=${bytes}:`);
}

function run(program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status === 0) return;
  throw new Error(`${program} ${args.join(" ")}: ${error?.message ?? stderr}`);
}
