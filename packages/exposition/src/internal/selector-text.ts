import { compareUtf8 } from "@varve/bytes";
import type { Labels } from "@varve/contracts";
import { NAME_LABEL } from "./label-set.ts";

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * A label set as `name{label="value",…}`, names that need it in quotes. Sorted by name in UTF-8 bytes, empty values
 * left out. A set without a metric's name begins with the brace.
 */
export function seriesText(labels: Labels): string {
  const metric = labels[NAME_LABEL] ?? "";
  const isPlain = metric === "" || METRIC_NAME.test(metric);
  const parts = isPlain ? [] : [quoted(metric)];
  const names = Object.keys(labels).sort(compareUtf8);
  for (const name of names) {
    const value = labels[name]!;
    if (name === NAME_LABEL || value === "") continue;
    parts.push(`${LABEL_NAME.test(name) ? name : quoted(name)}=${quoted(value)}`);
  }
  const head = isPlain ? metric : "";
  return parts.length === 0 && head !== "" ? head : `${head}{${parts.join(",")}}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll(/[\\"\n]/g, (letter) => (letter === "\n" ? "\\n" : `\\${letter}`))}"`;
}
