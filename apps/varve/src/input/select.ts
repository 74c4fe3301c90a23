import { isStorageError, type Matcher } from "@varve/contracts";
import { selector } from "@varve/matcher-re2js";
import { usageError } from "../exit.ts";

/** What part of a store a command is about. */
export interface Range {
  readonly from?: number;
  readonly until?: number;
}

/** Reads a selector. Throws INPUT, naming the flag. */
export function matchersOf(flag: string, text: string): readonly Matcher[] {
  try {
    return selector(text);
  } catch (cause) {
    if (isStorageError(cause, "INPUT")) throw usageError(`${flag}: ${cause.message}`, cause);
    throw cause;
  }
}

/** Throws INPUT for a range that holds no time. */
export function checkRange({ from, until }: Range): void {
  if (from === undefined || until === undefined || from < until) return;
  throw usageError(`--from ${from} is not before --until ${until}: the range holds no time`);
}
