import { keyOf } from "@varve/bytes";
import type { Labels, Matcher, MatcherKind, Postings } from "@varve/contracts";
import { PlainKeys } from "../company/plain-keys.ts";
import { sameList } from "../expect.ts";
import { addKeyed } from "../rows.ts";
import type { Trial } from "../trial.ts";

/** Postings beside the keys that they answer for. */
export interface PostingsWorld {
  readonly trial: Trial<"postings">;
  readonly keys: PlainKeys;
  readonly postings: Postings;
}

/** Opens postings of a store that holds some series already, under the refs 1, 2, 3 … */
export async function openPostings(
  trial: Trial<"postings">,
  known: readonly Labels[] = [],
): Promise<PostingsWorld> {
  const keys = new PlainKeys();
  for (const [i, labels] of known.entries()) keys.set(i + 1, keyOf(labels));
  return { trial, keys, postings: await trial.open({ keys }) };
}

/** Writes new series as an engine does: the index has them first, then postings are told. Returns their refs. */
export function addSeries(world: PostingsWorld, series: readonly Labels[]): number[] {
  const batch = world.trial.batch(Math.max(1, series.length));
  for (const labels of series) {
    const ref = world.keys.nextRef;
    world.keys.set(ref, keyOf(labels));
    batch.isNew[addKeyed(batch, keyOf(labels), { ref })] = 1;
  }
  world.postings.add(batch, 0, batch.length);
  const refs = [...batch.refs.subarray(0, batch.length)];
  batch.dispose();
  return refs;
}

/** Drops series as an engine does: postings hear of it first, then the index forgets them. */
export function dropSeries(world: PostingsWorld, refs: readonly number[]): void {
  world.postings.drop(Uint32Array.from(refs), refs.length);
  for (const ref of refs) world.keys.delete(ref);
}

/** Fails unless the matchers select these refs. */
export function selects(
  world: PostingsWorld,
  matchers: readonly Matcher[],
  expected: readonly number[],
): void {
  const shown = matchers.map(({ name, kind, value }) => `${name}${kind}"${value}"`).join(",");
  sameList(world.postings.select(matchers), expected, `refs of {${shown}}`);
}

/** A matcher as plain as can be; expressions are JavaScript's, and match the whole value. */
export function match(name: string, kind: MatcherKind, value: string): Matcher {
  const isNot = kind.startsWith("!");
  if (kind === "=" || kind === "!=") {
    const values = isNot ? {} : { values: [value] };
    return { name, kind, value, ...values, matches: (other) => (other === value) !== isNot };
  }
  const expression = new RegExp(`^(?:${value})$`, "u");
  return { name, kind, value, matches: (other) => expression.test(other) !== isNot };
}
