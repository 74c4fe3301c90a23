import type { Matcher } from "@varve/contracts";
import { parseSelector, type RegexpFactory } from "@varve/matcher";
import { literalsOf } from "./internal/literals.ts";
import { programOf } from "./internal/programs.ts";

/**
 * Accepts series whose label matches the whole expression, in RE2's syntax, as Prometheus 2 anchors it: `^(?:…)$`. The
 * dot matches no newline; `(?s)` in front makes it. Throws INPUT, with RE2's words, when the expression is malformed.
 */
export function regexp(name: string, pattern: string): Matcher {
  return make(name, "=~", pattern);
}

/** Accepts series whose label does not match the whole expression: see `regexp`. */
export function notRegexp(name: string, pattern: string): Matcher {
  return make(name, "!~", pattern);
}

/** Parses a selector with all four kinds of matchers: `cpu{host=~"web-.*",mode!="idle"}`. Throws INPUT. */
export function selector(text: string): Matcher[] {
  return parseSelector(text, { regexp: make });
}

const make: RegexpFactory = (name, kind, pattern) => {
  const program = programOf(name, pattern);
  const { values, prefix } = literalsOf(pattern);
  const isNot = kind === "!~";
  if (values !== null) {
    const set = new Set(values);
    const matches = (value: string): boolean => set.has(value) !== isNot;
    // What can match is known only of a matcher that accepts what matches.
    return isNot
      ? { name, kind, value: pattern, matches }
      : { name, kind, value: pattern, values: [...set], matches };
  }
  const matches = (value: string): boolean =>
    (value.startsWith(prefix) && program.testExact(value)) !== isNot;
  return isNot || prefix === ""
    ? { name, kind, value: pattern, matches }
    : { name, kind, value: pattern, prefix, matches };
};
