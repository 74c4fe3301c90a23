import { StorageError } from "@varve/contracts";
import { RE2JS, RE2JSException } from "re2js";

/** Compiled expressions that are kept. Each may hold some hundred KiB of automaton. */
const PROGRAMS_MAX = 64;

/** By pattern, the one used longest ago first. */
const programs = new Map<string, RE2JS>();

/** Compiles an expression, or finds it compiled. Throws INPUT, naming the label, when it is malformed. */
export function programOf(name: string, pattern: string): RE2JS {
  const program = programs.get(pattern) ?? compile(name, pattern);
  programs.delete(pattern);
  programs.set(pattern, program);
  if (programs.size > PROGRAMS_MAX) programs.delete(programs.keys().next().value!);
  return program;
}

function compile(name: string, pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause;
    throw new StorageError(
      "INPUT",
      `label ${name}: ${cause.message}; expressions have RE2's syntax, without lookaround and backreferences`,
      { cause, facts: { label: name, expression: pattern } },
    );
  }
}
