/** How a matcher compares: equal, not equal, matches the whole expression, does not match it. */
export type MatcherKind = "=" | "!=" | "=~" | "!~";

/**
 * Decides on one label of a series. A series that lacks the label has the empty value, so a matcher that
 * accepts "" also selects series without it, as Prometheus has it.
 *
 * Data with one function: parts take it apart by `kind` and `values`, and never need to know expressions.
 */
export interface Matcher {
  readonly name: string;
  readonly kind: MatcherKind;
  /** What to compare with, as it was given: a value, or the text of an expression. */
  readonly value: string;
  /** The only values that can match, when they are few and known, without repeats: `=`, and `=~"a|b"`. */
  readonly values?: readonly string[];
  /** Every value that matches begins with this; empty or missing when nothing is known. */
  readonly prefix?: string;
  matches(value: string): boolean;
}
