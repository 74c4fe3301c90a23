import type { Labels } from "varve";

/** Series of a store whose writer is killed. */
export const SERIES = 25;

export function labelsOf(series: number): Labels {
  return { __name__: "m", series: String(series), text: `"quoted" \\ é 😀` };
}

export function valueOf(row: number): number {
  return row % 2 === 0 ? row : Math.sin(row);
}
