import type { Labels } from "@varve/contracts";
import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PeerFailure } from "../forked.ts";
import { goSeconds } from "../go-duration.ts";
import { SHARD_ROUNDS } from "./stretches.ts";
import type { TurnReport } from "./turn.ts";

/** What promtool's reader of label sets takes apart, quoted or not. */
const UNREADABLE = /[",:{}\\\n]/;
/** Bytes of the end of what it says on stderr that are kept for the reason. */
const TAIL_BYTES = 1024;
/** Part by which the rate that it prints may differ from rows and duration: it looks at the clock twice. */
const RATE_TOLERANCE = 0.02;

/** A promtool that can do the work, or why there is none. */
export type FoundPromtool =
  | { readonly version: string; readonly missing: null }
  | { readonly missing: string };

/** Looks for promtool, and for the flags that are needed. */
export function findPromtool(): FoundPromtool {
  const help = spawnSync("promtool", ["tsdb", "bench", "write", "--help"], { encoding: "utf8" });
  const install = "install Prometheus (Debian: apt-get install prometheus)";
  if (help.error !== undefined) return { missing: `there is no promtool here; ${install}` };
  const lacks = ["--out", "--metrics", "--scrapes"].find(
    (flag) => !(help.stdout + help.stderr).includes(flag),
  );
  if (lacks !== undefined) {
    return { missing: `this promtool's \`tsdb bench write\` has no ${lacks}; ${install}` };
  }
  const said = spawnSync("promtool", ["--version"], { encoding: "utf8" });
  const version = /version (\S+)/.exec(said.stdout + said.stderr)?.[1] ?? "unknown";
  return { version, missing: null };
}

export interface PromtoolTurn {
  readonly version: string;
  readonly labels: readonly Labels[];
  readonly scrapes: number;
  /** An empty directory. */
  readonly dir: string;
}

/** Has promtool write the rows. Throws PeerFailure when it did not, and the signal's reason once that is aborted. */
export async function runPromtool(turn: PromtoolTurn, signal: AbortSignal): Promise<TurnReport> {
  const { labels, scrapes, dir, version } = turn;
  if (scrapes % SHARD_ROUNDS !== 0) {
    throw new PeerFailure(`promtool writes scrapes by the hundred, and ${scrapes} were asked for`);
  }
  const file = join(dir, "series.json");
  writeFileSync(file, labels.map((each) => `${lineOf(each)}\n`).join(""));
  const counts = [`--metrics=${labels.length}`, `--scrapes=${scrapes}`];
  const args = ["tsdb", "bench", "write", `--out=${join(dir, "bench")}`, ...counts, file];
  const { rows, seconds } = parsePromtool(await outputOf(args, signal), labels.length * scrapes);
  const about = `promtool ${version}: a commit is written to its log, a full segment synced`;
  return { rows, seconds, about, durability: "written" };
}

/** Reads what promtool printed. Throws PeerFailure unless it wrote `expected` samples. */
export function parsePromtool(
  output: string,
  expected: number,
): { readonly rows: number; readonly seconds: number } {
  const duration = /completed stage=ingestScrapes duration=(\S+)/.exec(output)?.[1];
  const rows = Number(/total samples: (\d+)/.exec(output)?.[1]);
  const rate = Number(/samples\/sec: (\S+)/.exec(output)?.[1]);
  if (duration === undefined || !(rows > 0) || !(rate > 0)) {
    throw new PeerFailure("promtool did not print a duration, a total and a rate");
  }
  if (rows !== expected) {
    throw new PeerFailure(`promtool wrote ${rows} samples, and ${expected} were asked for`);
  }
  const seconds = goSeconds(duration);
  if (!(Math.abs((rate * seconds) / rows - 1) <= RATE_TOLERANCE)) {
    throw new PeerFailure(
      `promtool wrote ${rows} samples in ${duration}, and says ${rate} a second`,
    );
  }
  return { rows, seconds };
}

/** A line that promtool reads as we do: it cuts at commas and colons. */
function lineOf(labels: Labels): string {
  const odd = Object.entries(labels).find(
    ([name, value]) => UNREADABLE.test(name) || UNREADABLE.test(value) || value === "",
  );
  if (odd === undefined) return JSON.stringify(labels);
  throw new PeerFailure(`promtool would misread the label ${odd[0]}=${JSON.stringify(odd[1])}`);
}

function outputOf(args: readonly string[], signal: AbortSignal): Promise<string> {
  // Ctrl-C is for this process alone: it decides what ends.
  const child = spawn("promtool", args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const kill = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", kill);
  process.on("exit", kill);
  if (signal.aborted) kill();
  let [stdout, tail] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    tail = (tail + text).slice(-TAIL_BYTES);
  });
  return new Promise<string>((resolve, reject) => {
    child.once("error", (error) => reject(new PeerFailure(`promtool: ${error.message}`)));
    child.once("close", (code, name) => {
      if (signal.aborted) reject(signal.reason as Error);
      else if (code === 0) resolve(stdout);
      else {
        const last = tail.trim().split("\n").at(-1) ?? "";
        reject(new PeerFailure(`promtool ended by ${name ?? `code ${code}`}: ${last}`));
      }
    });
  }).finally(() => {
    signal.removeEventListener("abort", kill);
    process.off("exit", kill);
  });
}
