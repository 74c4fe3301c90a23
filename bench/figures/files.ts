import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { TortureResults } from "../torture/results.ts";
import { type BlocksFile, pageOf, type PeersFile, type QueryFile } from "./page.ts";
import { torturePageOf, withSummary } from "./torture-page.ts";

/** A generated file: where it lies, and what it should hold. */
export interface Generated {
  readonly path: string;
  readonly text: string;
}

/** All that is generated, as the committed result files have it. */
export function generatedFiles(): Generated[] {
  const torture = result("torture") as TortureResults;
  const queries = pageOf(
    result("blocks") as BlocksFile,
    result("query") as QueryFile,
    result("peers-query") as PeersFile,
  );
  const readme = pathOf("../../README.md");
  return [
    { path: pathOf("../../docs/queries.md"), text: queries },
    { path: pathOf("../../docs/torture.md"), text: torturePageOf(torture) },
    { path: readme, text: withSummary(readFileSync(readme, "utf8"), torture) },
  ];
}

function result(name: string): unknown {
  return JSON.parse(readFileSync(pathOf(`../results/${name}.json`), "utf8"));
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
