import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type BlocksFile, pageOf, type PeersFile, type QueryFile } from "./page.ts";

/** The page in `docs`, by path. */
export const PAGE = fileURLToPath(new URL("../../docs/queries.md", import.meta.url));

/** The page as the committed result files have it. */
export function currentPage(): string {
  return pageOf(
    read("blocks") as BlocksFile,
    read("query") as QueryFile,
    read("peers-query") as PeersFile,
  );
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../results/${name}.json`, import.meta.url), "utf8"));
}
