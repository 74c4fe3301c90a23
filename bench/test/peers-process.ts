import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { main } from "../peers/cli.ts";

const MAIN = fileURLToPath(new URL("../peers/main.ts", import.meta.url));

/** How a run ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `peers` from sources, which its own children are as well. */
export function start(...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  return startProgram(MAIN, args);
}

/** The same for any program. */
export function startProgram(
  program: string,
  args: readonly string[],
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, ["--conditions=@varve/source", program, ...args], {
    env: { ...process.env, NO_COLOR: "1", NODE_OPTIONS: "" },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended };
}

/** Sends Ctrl-C once a program has said so on stderr, and answers how it ended. */
export async function interruptAt(
  words: string,
  { child, ended }: ReturnType<typeof startProgram>,
): Promise<Ended> {
  let said = "";
  await new Promise<void>((resolve) => {
    child.stderr!.on("data", (text: string) => {
      said += text;
      if (said.includes(words)) resolve();
    });
    child.once("close", () => resolve());
  });
  child.kill("SIGINT");
  return ended;
}

/** Runs `peers` in this process, which is quicker: for what ends before anything is measured. */
export function peersHere(...args: string[]): Promise<Ended> {
  return runHere(main, args);
}

/** The same for any program's \`main\`. */
export async function runHere(
  program: (args: readonly string[]) => Promise<void>,
  args: readonly string[],
): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  const out = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  const err = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
  const before = process.exitCode;
  try {
    process.exitCode = undefined;
    await program(args);
    return { code: Number(process.exitCode ?? 0), stdout, stderr };
  } finally {
    process.exitCode = before;
    out.mockRestore();
    err.mockRestore();
  }
}
