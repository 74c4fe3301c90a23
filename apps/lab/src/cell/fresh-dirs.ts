import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, rmSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { median } from "simple-statistics";

/** Files that are made to learn what one costs. */
const PROBES = 9;
/** Directories that are tried, before the cheapest is taken. */
const TRIES_MAX = 16;
/** Directories that are tried before there is anything to compare with. */
const TRIES_MIN = 4;
/** A directory is fresh when a file in it costs at most this many times the cheapest seen. */
const TOLERANCE = 2;

/**
 * Makes directories in which files cost what they cost on a disk at rest.
 *
 * For minutes after files were removed, ext4 walks past their inodes at every creation nearby, which then takes
 * many times as long: a store made where another was just removed would pay for it. So directories are asked to
 * be spread over the disk (`chattr +T`, meant for those such as /home whose children have nothing in common), and
 * one where files are dear is passed over. Other file systems give the first that is asked for.
 */
export class FreshDirs {
  readonly #parent: string;
  readonly #spent: string[] = [];
  #cheapest = Number.POSITIVE_INFINITY;

  /** `parent` exists, and holds nothing that counts. */
  constructor(parent: string) {
    this.#parent = parent;
    if (process.platform !== "linux") return;
    try {
      execFileSync("chattr", ["+T", parent], { stdio: "ignore" });
    } catch {
      // Not this file system, or no such program: directories lie where they lie.
    }
  }

  /** What making an empty file costs where it costs least, in microseconds. */
  get fileMicros(): number {
    return this.#cheapest;
  }

  /** A new, empty directory. */
  next(): string {
    let best = "";
    let bestMicros = Number.POSITIVE_INFINITY;
    const triesMin = this.#cheapest === Number.POSITIVE_INFINITY ? TRIES_MIN : 1;
    for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
      // The name decides the place: a name that came before would lie where its file were removed.
      const dir = join(this.#parent, randomBytes(6).toString("hex"));
      mkdirSync(dir);
      this.#spent.push(dir);
      const micros = fileMicros(dir);
      if (micros < bestMicros) [best, bestMicros] = [dir, micros];
      this.#cheapest = Math.min(this.#cheapest, micros);
      if (tries >= triesMin && bestMicros <= TOLERANCE * this.#cheapest) break;
    }
    return best;
  }

  /** Removes every directory that was made, and what is in it. */
  remove(): void {
    for (const dir of this.#spent.splice(0)) rmSync(dir, { recursive: true, force: true });
  }
}

function fileMicros(dir: string): number {
  const micros = Array.from({ length: PROBES }, (_, i) => {
    const path = join(dir, `probe-${i}`);
    const start = performance.now();
    closeSync(openSync(path, "wx"));
    return (performance.now() - start) * 1000;
  });
  for (let i = 0; i < PROBES; i += 1) unlinkSync(join(dir, `probe-${i}`));
  return median(micros);
}
