import type { Labels } from "@varve/contracts";
import { addLabel, labelsFrom } from "./label-set.ts";
import { LineFault, quote } from "./line-fault.ts";
import { bytesBefore, textOf } from "./text-of.ts";

// oxlint-disable-next-line no-control-regex -- JSON has no raw control characters in strings
const STRING = /[ \t\r]*("(?:[^"\\\u0000-\u001f]|\\[^])*")[ \t\r]*/y;
const OPEN = /\{[ \t\r]*/y;
const COLON = /:/y;
const COMMA = /,/y;
const CLOSE = /\}/y;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Parses an object of strings. Throws a fault at what is none, and at a name that comes twice. */
export function parseJsonLabels(bytes: Uint8Array, from: number, until: number): Labels {
  const text = textOf(bytes, from, until);
  const labels = new Map<string, string>();
  let at = 0;
  /** Takes what a pattern matches here; undefined when it does not. */
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return undefined;
    at = pattern.lastIndex;
    return match[1] ?? match[0];
  };
  const fault = (reason: string): LineFault => {
    const rest = text.slice(at);
    return new LineFault(from + bytesBefore(text, at), `${reason}, got ${quote(rest)}`);
  };
  const string = (what: string): string => {
    const start = at;
    const token = take(STRING);
    const said = token === undefined ? undefined : stringOf(token);
    if (said !== undefined) return said;
    at = start;
    throw fault(`expected ${what}, a string`);
  };
  take(OPEN);
  if (take(CLOSE) !== undefined) return {};
  for (;;) {
    const start = at;
    const name = string("a label's name");
    if (take(COLON) === undefined) throw fault(`expected ":" after label ${quote(name)}`);
    const value = string(`label ${quote(name)}'s value`);
    const problem = addLabel(labels, name, value);
    if (problem !== undefined) throw new LineFault(from + bytesBefore(text, start), problem);
    if (take(COMMA) !== undefined) continue;
    if (take(CLOSE) === undefined) throw fault('expected "," or "}"');
    return labelsFrom(labels);
  }
}

/** What a JSON string stands for; undefined for a wrong escape, and for half a surrogate pair. */
function stringOf(token: string): string | undefined {
  try {
    const said = JSON.parse(token) as string;
    return LONE_SURROGATE.test(said) ? undefined : said;
  } catch {
    return undefined;
  }
}
