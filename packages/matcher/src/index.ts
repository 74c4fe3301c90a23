/** Label matchers, and selectors in Prometheus' syntax. */
export { acceptsEmpty, equal, matchersOf, notEqual } from "./equality.ts";
export { formatSelector } from "./format.ts";
export { parseSelector, type RegexpFactory, type SelectorOptions } from "./parse.ts";
