import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Job } from "./spec.ts";

/** What a child says: how far it is, and at the end its result. */
type Said =
  | { readonly kind: "progress"; readonly done: number; readonly total: number }
  | { readonly kind: "result"; readonly result: unknown };

export interface ChildOptions {
  /** Further flags of Node's for the child. */
  readonly execArgv?: readonly string[];
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the child: the result is null. */
  readonly signal?: AbortSignal;
}

const PROGRAM = fileURLToPath(new URL("./child.ts", import.meta.url));

/** Runs a job in a process of its own, and resolves its result. Throws when the process ends without one. */
export function inChild(job: Job, options: ChildOptions = {}): Promise<unknown> {
  const { execArgv = [], onProgress, signal } = options;
  const child = fork(PROGRAM, [], { execArgv: ["--expose-gc", ...execArgv] });
  const kill = (): boolean => child.kill("SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });
  process.on("exit", kill); // Nobody else would.
  if (signal?.aborted === true) kill();
  let result: unknown = null;
  child.on("message", (said: Said) => {
    if (said.kind === "result") result = said.result;
    else onProgress?.(said.done, said.total);
  });
  child.send(job, () => undefined);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, killedBy) => {
      process.off("exit", kill);
      signal?.removeEventListener("abort", kill);
      if (result !== null || signal?.aborted === true) resolve(result);
      else reject(new Error(`${job.task.kind}: its process ended with ${killedBy ?? code}`));
    });
  });
}
