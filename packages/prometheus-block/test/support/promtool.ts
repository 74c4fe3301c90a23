import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isUlid } from "../../src/index.ts";

export const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;

/** For the title of a test that is skipped. */
export const PROMTOOL_MISSING = hasPromtool
  ? ""
  : " (skipped: Debian's prometheus is not installed, no independent judge of blocks)";

/** Samples as a line of text has them: seconds since the epoch, and a value. */
export interface TextSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly seconds: readonly string[];
  readonly values: readonly string[];
}

/** The files of the one block that promtool makes of the series. */
export function promtoolBlock(series: readonly TextSeries[]): Map<string, Uint8Array> {
  const dir = mkdtempSync(join(tmpdir(), "varve-promtool-"));
  try {
    const input = join(dir, "input.om");
    writeFileSync(input, `${series.map(linesOf).join("")}# EOF\n`);
    const args = ["tsdb", "create-blocks-from", "openmetrics", input, dir];
    const { status, stderr } = spawnSync("promtool", args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`promtool failed: ${stderr}`);
    const blocks = readdirSync(dir).filter(isUlid);
    if (blocks.length !== 1) throw new Error(`one block, got ${blocks.length}`);
    return filesBelow(join(dir, blocks[0]!));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function filesBelow(dir: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(dir.length + 1), new Uint8Array(readFileSync(path)));
  }
  return files;
}

function linesOf({ labels, seconds, values }: TextSeries): string {
  const { __name__: name, ...others } = labels;
  const pairs = Object.entries(others).map(([label, value]) => `${label}="${escape(value)}"`);
  const series = `${name}{${pairs.join(",")}}`;
  return seconds.map((second, i) => `${series} ${values[i]} ${second}\n`).join("");
}

function escape(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
