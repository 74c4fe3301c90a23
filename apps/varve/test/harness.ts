import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished, vi } from "vitest";
import { open, recommended } from "varve";
import { main } from "../src/cli.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `varve` in a process of its own. */
export function start(...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, ["--conditions=@varve/source", MAIN, ...args], {
    env: { ...process.env, NO_COLOR: "1", NODE_OPTIONS: "" },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout!.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended };
}

/** Runs `varve` in this process, which is quicker. */
export async function varve(...args: string[]): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  const out = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  const err = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    await main(args);
    return { code: Number(process.exitCode ?? 0), stdout, stderr };
  } finally {
    process.exitCode = before;
    out.mockRestore();
    err.mockRestore();
  }
}

/** A new directory that goes with the test. */
export function freshDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "varve-cli-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export const START = 1_700_000_000_000;

/** Makes a store: three series with 500 samples each, of which some are in a block when asked for. */
export async function makeStore(
  options: { readonly cut?: boolean; readonly compact?: boolean } = {},
): Promise<string> {
  const dir = join(freshDir(), "data");
  await using store = await open({ dir, plan: recommended() });
  for (let i = 0; i < 500; i += 1) {
    for (const host of ["a", "b", "c"]) store.write({ __name__: "cpu", host }, START + i * 1000, i);
  }
  await store.flush();
  if (options.cut === true) {
    await store.cutBlocks();
    if (options.compact === true) await store.compactLog(); // Now only the block has them.
    for (let i = 0; i < 10; i += 1) {
      store.write({ __name__: "cpu", host: "a" }, START + 86_400_000 + i * 1000, i);
    }
  }
  return dir;
}
