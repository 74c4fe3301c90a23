import { isStorageError, type StorageErrorCode } from "@varve/contracts";

/** A promise that was not kept. */
export class CaseFailure extends Error {
  override readonly name = "CaseFailure";
}

/** Fails unless the fact holds. */
export function holds(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new CaseFailure(`does not hold: ${fact}`);
}

/** Fails unless both are the same value (`Object.is`). */
export function same(actual: unknown, expected: unknown, what: string): void {
  if (Object.is(actual, expected)) return;
  throw new CaseFailure(`${what}: expected ${show(expected)}, got ${show(actual)}`);
}

/** Fails unless both lists hold the same values in the same order. */
export function sameList(
  actual: ArrayLike<unknown>,
  expected: ArrayLike<unknown>,
  what: string,
): void {
  for (let i = 0; i < Math.max(actual.length, expected.length); i += 1) {
    if (i < actual.length && i < expected.length && Object.is(actual[i], expected[i])) continue;
    const found = i < actual.length ? show(actual[i]) : "the end";
    const wanted = i < expected.length ? show(expected[i]) : "the end";
    throw new CaseFailure(
      `${what}: element ${i} is ${found}, expected ${wanted} (${actual.length} and ${expected.length} elements)`,
    );
  }
}

/** Fails unless the action throws a StorageError with one of the codes. Returns the error. */
export async function refuses(
  codes: StorageErrorCode | readonly StorageErrorCode[],
  what: string,
  action: () => unknown,
): Promise<Error> {
  const wanted = typeof codes === "string" ? [codes] : codes;
  const outcome = await attempt(action);
  if (outcome === undefined)
    throw new CaseFailure(`${what}: expected ${wanted.join(" or ")}, nothing was thrown`);
  if (isStorageError(outcome) && (wanted.length === 0 || wanted.includes(outcome.code))) {
    return outcome;
  }
  throw new CaseFailure(
    `${what}: expected ${wanted.join(" or ") || "a StorageError"}, got ${outcome.name}`,
    {
      cause: outcome,
    },
  );
}

/** What an action throws, or undefined when it passes. */
export async function attempt(action: () => unknown): Promise<Error | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function show(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  return Object.is(value, -0) ? "-0" : String(value);
}
