import { serveParent } from "../cell/serve.ts";
import { runSeamCell } from "./run-seam-cell.ts";
import type { SeamResult, SeamSpec } from "./spec.ts";

/** The child process of one cell of the seam. */
serveParent<SeamSpec, SeamResult>(({ spec, dir }, signal) => runSeamCell(spec, { dir, signal }));
