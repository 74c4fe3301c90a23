import type { CellResult } from "./result.ts";
import { runCell } from "./run-cell.ts";
import { serveParent } from "./serve.ts";
import type { CellSpec } from "./spec.ts";

/** The child process of one cell. */
serveParent<CellSpec, CellResult>(({ spec, repeat, dir }, signal) =>
  runCell(spec, { dir, repeat, signal }),
);
