import type { Matcher } from "@varve/contracts";

const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * Writes matchers as a selector that `parseSelector` reads back as the same ones: `name{label="value"}`. Names that are
 * no identifiers are quoted, as Prometheus 3 has it.
 */
export function formatSelector(matchers: readonly Matcher[]): string {
  const [first] = matchers;
  const isNamed = first?.name === "__name__" && first.kind === "=" && METRIC.test(first.value);
  const rest = (isNamed ? matchers.slice(1) : matchers).map(formatMatcher).join(",");
  if (!isNamed) return `{${rest}}`;
  return rest === "" ? first.value : `${first.value}{${rest}}`;
}

function formatMatcher({ name, kind, value }: Matcher): string {
  const label = LABEL.test(name) ? name : JSON.stringify(name);
  return `${label}${kind}${JSON.stringify(value)}`; // JSON's escapes are Go's, too.
}
