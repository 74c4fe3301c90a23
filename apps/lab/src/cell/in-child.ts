import { fork, type ChildProcess } from "node:child_process";
import { rm } from "node:fs/promises";
import type { FromChild, ToChild } from "./messages.ts";

export interface InChildOptions<S> {
  readonly spec: S;
  readonly repeat: number;
  /** Directory of the child's stores. Gone when this resolves, however the child ended. */
  readonly dir: string;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  /** The program to run: one that calls `serveParent`. */
  readonly program: string;
}

/** What became of a child. `stopped`: by the signal, before it had a result. */
export type ChildEnd<R> =
  | { readonly kind: "result"; readonly result: R }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly reason: string };

/** Bytes of the end of a child's stderr that are kept for the reason. */
const TAIL_BYTES = 4096;

/** From sources the child is a source as well, and finds the other packages' sources. */
const SOURCE_FLAGS = import.meta.url.endsWith(".ts") ? ["--conditions=@varve/source"] : [];

/** Runs a cell of any sort in a process of its own. */
export async function inChild<S, R>(options: InChildOptions<S>): Promise<ChildEnd<R>> {
  const { spec, repeat, dir, deadlineMs, signal, program } = options;
  const child = fork(program, [], {
    execArgv: ["--expose-gc", ...SOURCE_FLAGS],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced",
  });
  const tail = tailOf(child);
  const tell = (message: ToChild<S>): void => {
    if (child.connected) child.send(message as object, () => undefined);
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
  let answer: FromChild<R> | null = null;
  try {
    child.on("message", (message) => {
      answer = message as FromChild<R>;
    });
    tell({ kind: "run", spec, repeat, dir });
    if (signal?.aborted === true) stop();
    const ending = await endOf(child);
    const said = answer as FromChild<R> | null;
    if (said !== null) return said;
    const reason = isLate
      ? `took longer than ${deadlineMs / 1000} s and was killed`
      : `the process ${ending}: ${tail()}`;
    return { kind: "failed", reason: reason.trim() };
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener("abort", stop);
    process.off("exit", kill);
    await rm(dir, { recursive: true, force: true });
  }
}

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
