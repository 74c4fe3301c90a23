import { fork, type ChildProcess } from "node:child_process";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { emptyResult } from "./merge.ts";
import type { FromChild, ToChild } from "./messages.ts";
import type { CellResult } from "./result.ts";
import type { CellSpec } from "./spec.ts";

export interface ChildOptions {
  readonly spec: CellSpec;
  readonly repeat: number;
  /** Directory of the child's stores. Gone when this resolves, however the child ended. */
  readonly dir: string;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  /** The program to run. Default: the one beside this file. */
  readonly program?: string;
}

/** Bytes of the end of a child's stderr that are kept for the reason. */
const TAIL_BYTES = 4096;

/** Runs a cell in a process of its own. Null when it was stopped by the signal before it had a result. */
export async function runChild(options: ChildOptions): Promise<CellResult | null> {
  const { spec, repeat, dir, deadlineMs, signal } = options;
  const { program = PROGRAM } = options;
  const child = fork(program, [], {
    execArgv: ["--expose-gc", ...SOURCE_FLAGS],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced",
  });
  const tail = tailOf(child);
  const tell = (message: ToChild): void => {
    if (child.connected) child.send(message, () => undefined);
  };
  const stop = (): void => tell({ kind: "stop" });
  // A run that ends for good takes its child along: nobody else would.
  const kill = (): boolean => child.kill("SIGKILL");
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    kill();
  }, deadlineMs);
  signal?.addEventListener("abort", stop, { once: true });
  process.on("exit", kill);
  let answer: FromChild | null = null;
  try {
    child.on("message", (message) => {
      answer = message as FromChild;
    });
    tell({ kind: "run", spec, repeat, dir });
    if (signal?.aborted === true) stop();
    const ending = await endOf(child);
    const said = answer as FromChild | null;
    if (said?.kind === "result") return said.result;
    if (said?.kind === "stopped") return null;
    const reason = isLate
      ? `took longer than ${deadlineMs / 1000} s and was killed`
      : `the process ${ending}: ${tail()}`;
    return emptyResult(spec, "failed", [reason.trim()], 1);
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener("abort", stop);
    process.off("exit", kill);
    await rm(dir, { recursive: true, force: true });
  }
}

/** From sources the child is a source as well, and finds the other packages' sources. */
const IS_SOURCE = import.meta.url.endsWith(".ts");
const PROGRAM = fileURLToPath(
  IS_SOURCE
    ? new URL("./cell-main.ts", import.meta.url)
    : new URL("./cell-main.js", import.meta.url),
);
const SOURCE_FLAGS = IS_SOURCE ? ["--conditions=@varve/source"] : [];

/** How the process ended, in words, once its output is complete. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(`could not be started: ${error.message}`));
    child.once("close", (code, signal) =>
      resolve(signal === null ? `ended with code ${code}` : `was ended by ${signal}`),
    );
  });
}

/** Collects the end of what the child says on stderr. */
function tailOf(child: ChildProcess): () => string {
  let tail = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    tail = (tail + text).slice(-TAIL_BYTES);
  });
  return () => tail.trim();
}
