import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { TortureResults } from "../torture/results.ts";
import { type BlocksFile, pageOf, type PeersFile, type QueryFile } from "./page.ts";
import { type IngestFile, type SpeedFile, speedPageOf } from "./speed-page.ts";
import { torturePageOf, withSummary } from "./torture-page.ts";

/** A generated file: where it lies, and what it should hold. */
export interface Generated {
  readonly path: string;
  readonly text: string;
}

/** Result files that the page on speed is made of: without them it is not written. */
const PERFORMANCE_RESULTS = ["speed", "peers-ingest"] as const;
export const PERFORMANCE_PATH = pathOf("../../docs/performance.md");

/** All that is generated, as the committed result files have it. */
export function generatedFiles(): Generated[] {
  const torture = result("torture") as TortureResults;
  const queries = pageOf(
    result("blocks") as BlocksFile,
    result("query") as QueryFile,
    result("peers-query") as PeersFile,
  );
  const readme = pathOf("../../README.md");
  const performance = PERFORMANCE_RESULTS.every((name) => existsSync(resultPath(name)))
    ? speedPageOf(result("speed") as SpeedFile, result("peers-ingest") as IngestFile)
    : null;
  return [
    { path: pathOf("../../docs/queries.md"), text: queries },
    { path: pathOf("../../docs/torture.md"), text: torturePageOf(torture) },
    { path: readme, text: withSummary(readFileSync(readme, "utf8"), torture) },
    ...(performance === null ? [] : [{ path: PERFORMANCE_PATH, text: performance }]),
  ];
}

function result(name: string): unknown {
  return JSON.parse(readFileSync(resultPath(name), "utf8"));
}

function resultPath(name: string): string {
  return pathOf(`../results/${name}.json`);
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
