/** Throws when a fact that only a bug can break does not hold. State the positive fact. */
export function assert(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new AssertionError(fact);
}

/** A broken assumption inside varve or inside a variant: never the world's fault, never to be caught. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}
