import type { Labels, Matcher } from "@varve/contracts";

/** Accepts series whose label has this value; with "", series that lack the label. */
export function equal(name: string, value: string): Matcher {
  return { name, kind: "=", value, values: [value], matches: (other) => other === value };
}

/** Accepts series whose label has another value, or that lack it; with "", series that have the label. */
export function notEqual(name: string, value: string): Matcher {
  return { name, kind: "!=", value, matches: (other) => other !== value };
}

/** An equality matcher for each label: they accept the series that have these labels, and maybe more. */
export function matchersOf(labels: Labels): Matcher[] {
  return Object.entries(labels).map(([name, value]) => equal(name, value));
}

/** Whether a matcher accepts series that lack its label. */
export function acceptsEmpty(matcher: Matcher): boolean {
  return matcher.matches("");
}
