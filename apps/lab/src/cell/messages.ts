import type { CellResult } from "./result.ts";
import type { CellSpec } from "./spec.ts";

/** What the parent tells a child: run this cell, once; or end cleanly at the next turn. */
export type ToChild<S = CellSpec> =
  | { readonly kind: "run"; readonly spec: S; readonly repeat: number; readonly dir: string }
  | { readonly kind: "stop" };

/** What the child answers: the result, or that it stopped as it was told. */
export type FromChild<R = CellResult> =
  | { readonly kind: "result"; readonly result: R }
  | { readonly kind: "stopped" };
