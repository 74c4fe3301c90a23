import type { Labels } from "@varve/contracts";
import { inputError, quote, readLines } from "./lines.ts";

/**
 * Reads label sets written as JSON objects of strings, one a line. Blank lines are skipped.
 *
 * Throws INPUT, naming file and line, at the first line that is something else. Of a name that a
 * line gives twice, the last value counts, as JSON has it. `.gz` and `.zst` files are unpacked.
 */
export async function readSeriesJson(path: string): Promise<Labels[]> {
  const sets: Labels[] = [];
  let line = 0;
  for await (const text of readLines(path)) {
    line += 1;
    if (text.trim() !== "") sets.push(parseLabelSet(text, path, line));
  }
  return sets;
}

function parseLabelSet(text: string, path: string, line: number): Labels {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    const { message } = error as SyntaxError;
    throw inputError(path, line, `not a JSON label set: ${message.slice(0, 160)}`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw inputError(path, line, `a label set is a JSON object, got ${quote(text)}`);
  }
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value === "string") continue;
    const got = quote(JSON.stringify(value));
    throw inputError(path, line, `the value of label ${quote(name)} is a string, got ${got}`);
  }
  return parsed as Labels;
}
