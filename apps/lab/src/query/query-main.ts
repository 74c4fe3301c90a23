import { serveParent } from "../cell/serve.ts";
import type { QueryCellResult } from "./result.ts";
import { runQueryCell } from "./run-query-cell.ts";
import type { QueryCellSpec } from "./spec.ts";

/** The child process of one query cell. */
serveParent<QueryCellSpec, QueryCellResult>(({ spec, dir }, signal) =>
  runQueryCell(spec, { dir, signal }),
);
