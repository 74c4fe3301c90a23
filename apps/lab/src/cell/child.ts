import { fileURLToPath } from "node:url";
import { inChild, type InChildOptions } from "./in-child.ts";
import { emptyResult } from "./merge.ts";
import type { CellResult } from "./result.ts";
import type { CellSpec } from "./spec.ts";

export interface ChildOptions extends Omit<InChildOptions<CellSpec>, "program"> {
  /** The program to run. Default: the one beside this file. */
  readonly program?: string;
}

const IS_SOURCE = import.meta.url.endsWith(".ts");
const PROGRAM = fileURLToPath(
  IS_SOURCE
    ? new URL("./cell-main.ts", import.meta.url)
    : new URL("./cell-main.js", import.meta.url),
);

/** Runs a cell in a process of its own. Null when it was stopped by the signal before it had a result. */
export async function runChild(options: ChildOptions): Promise<CellResult | null> {
  const end = await inChild<CellSpec, CellResult>({ program: PROGRAM, ...options });
  if (end.kind === "result") return end.result;
  return end.kind === "stopped" ? null : emptyResult(options.spec, "failed", [end.reason], 1);
}
