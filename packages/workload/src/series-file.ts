import type { Labels } from "@varve/contracts";
import { readExposition } from "./exposition.ts";
import { readLines } from "./lines.ts";
import { readSeriesJson } from "./series-json.ts";

/** A brace, and a quoted name with a colon behind it, or the other brace. In an exposition, names are followed by `=`. */
const JSON_LABEL_SET = /^\s*\{\s*(?:"(?:[^"\\]|\\.)*"\s*:|\}\s*$)/;

/** What a file with label sets holds. */
export type SeriesFormat = "json" | "exposition";

/** Reads the label sets of a file, JSON label sets or a Prometheus exposition: its content says which. */
export async function readSeriesFile(path: string): Promise<readonly Labels[]> {
  if ((await detectSeriesFormat(path)) === "json") return readSeriesJson(path);
  return (await readExposition(path)).labels;
}

/** Tells the format of a file by its first line that is not blank. */
export async function detectSeriesFormat(path: string): Promise<SeriesFormat> {
  for await (const text of readLines(path)) {
    if (text.trim() !== "") return JSON_LABEL_SET.test(text) ? "json" : "exposition";
  }
  return "exposition";
}
