import { isStorageError, StorageError, type Matcher } from "@varve/contracts";
import { equal, notEqual } from "./equality.ts";
import { Cursor } from "./internal/cursor.ts";
import { takeQuoted } from "./internal/quoted.ts";

/** Makes a matcher with an expression. Throws INPUT when the expression is malformed. */
export type RegexpFactory = (name: string, kind: "=~" | "!~", pattern: string) => Matcher;

/** Options of parsing. */
export interface SelectorOptions {
  /** What `=~` and `!~` become; without it they are refused. `@varve/matcher-re2js` has it. */
  readonly regexp?: RegexpFactory;
}

const METRIC = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const KINDS = ["=~", "!~", "!=", "="] as const;

/**
 * Parses a selector in Prometheus' syntax: `name{label="value",other!~"expression"}`, names that are no identifiers
 * quoted inside the braces: `{"my.metric","my.label"="value"}`. `{}` has no matcher, and selects all.
 *
 * Throws INPUT, saying where and what was expected, when the text is none.
 */
export function parseSelector(text: string, options: SelectorOptions = {}): Matcher[] {
  const cursor = new Cursor(text);
  const matchers: Matcher[] = [];
  cursor.skipBlanks();
  const metric = cursor.take(METRIC);
  if (metric !== "") matchers.push(equal("__name__", metric));
  cursor.skipBlanks();
  if (cursor.takeWord("{")) takeMatchers(cursor, matchers, options.regexp);
  else if (metric === "") throw cursor.unexpected("a metric name or {");
  cursor.skipBlanks();
  if (!cursor.isAtEnd) throw cursor.unexpected("the end of the selector");
  return matchers;
}

/** Reads what stands between braces, and the closing one. A comma may follow the last matcher. */
function takeMatchers(
  cursor: Cursor,
  matchers: Matcher[],
  regexp: RegexpFactory | undefined,
): void {
  for (;;) {
    cursor.skipBlanks();
    if (cursor.takeWord("}")) return;
    matchers.push(takeMatcher(cursor, regexp));
    cursor.skipBlanks();
    if (cursor.takeWord("}")) return;
    if (!cursor.takeWord(",")) throw cursor.unexpected("a comma or }");
  }
}

function takeMatcher(cursor: Cursor, regexp: RegexpFactory | undefined): Matcher {
  const start = cursor.at;
  const quoted = takeQuoted(cursor);
  const name = quoted ?? cursor.take(LABEL);
  if (name === "") {
    if (quoted !== null) throw cursor.error(start, "a name is not empty");
    throw cursor.unexpected("a label name or }");
  }
  cursor.skipBlanks();
  const kind = KINDS.find((each) => cursor.takeWord(each));
  if (kind === undefined) {
    const follows = cursor.text[cursor.at];
    if (quoted !== null && (follows === "," || follows === "}")) return equal("__name__", quoted);
    throw cursor.unexpected("=, !=, =~ or !~");
  }
  cursor.skipBlanks();
  const valueAt = cursor.at;
  const value = takeQuoted(cursor);
  if (value === null) throw cursor.unexpected("a quoted string");
  if (kind === "=") return equal(name, value);
  if (kind === "!=") return notEqual(name, value);
  return makeRegexp(cursor, valueAt, () => {
    if (regexp !== undefined) return regexp(name, kind, value);
    throw new StorageError("INPUT", `${kind} needs expressions: parse with @varve/matcher-re2js`);
  });
}

/** Makes a matcher, and says where its expression stands when that is refused. */
function makeRegexp(cursor: Cursor, valueAt: number, make: () => Matcher): Matcher {
  try {
    return make();
  } catch (cause) {
    if (!isStorageError(cause, "INPUT")) throw cause;
    throw cursor.error(valueAt, cause.message, cause);
  }
}
