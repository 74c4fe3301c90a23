import type { Engine } from "@varve/engine";
import {
  AnswerDigest,
  expectedAnswer,
  identityOf,
  makeQueries,
  type Answer,
  type QueryKind,
  type SampleQuery,
} from "@varve/workload";
import { hash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { median, quantile } from "simple-statistics";
import { askStore, type StoreAnswer } from "./ask.ts";
import type { MadeData } from "./data.ts";
import type { KindResult } from "./result.ts";
import { queryCount } from "./spec.ts";

/** Longest that the queries of a kind are put before they count, in milliseconds. */
const WARMUP_MS = 500;

/** Queries of one kind, to put to a store. */
export interface KindQueries {
  readonly kind: QueryKind;
  readonly queries: readonly SampleQuery[];
}

/** Makes the queries of a kind: the same for every store that holds the same data. */
export function queriesOf(
  kind: QueryKind,
  { domain }: MadeData,
  { seed, queriesMax }: { readonly seed: number; readonly queriesMax: number },
): KindQueries {
  const { metrics, hosts, from, until } = domain;
  const size = { metrics: metrics.length, hosts: hosts.length, rangeMs: until - from };
  const count = queryCount(kind, size, queriesMax);
  return { kind, queries: makeQueries(kind, domain, { seed, count }) };
}

/** Puts queries until they were put once, or for half a second: code and caches become warm. */
export async function warmUp(
  engine: Engine,
  { queries }: KindQueries,
  signal?: AbortSignal,
): Promise<void> {
  const end = performance.now() + WARMUP_MS;
  for (const query of queries) {
    await askStore(engine, query, signal);
    if (performance.now() > end) return;
  }
}

/** Puts queries one after the other, and compares each answer with the data. Throws WrongAnswer where they differ. */
export async function measureKind(
  engine: Engine,
  { kind, queries }: KindQueries,
  { data }: MadeData,
  signal?: AbortSignal,
): Promise<KindResult> {
  const timesMs: number[] = [];
  const answers: Answer[] = [];
  let samples = 0;
  for (const [i, query] of queries.entries()) {
    await turn();
    const start = performance.now();
    const found = await askStore(engine, query, signal);
    timesMs.push(performance.now() - start);
    samples += found.samples;
    const answer = answerOf(found);
    check(answer, expectedAnswer(query, data), query, i);
    answers.push(answer);
  }
  const totalMs = timesMs.reduce((sum, ms) => sum + ms, 0);
  const checksums = answers.map(({ checksum }) => checksum).join();
  return {
    kind,
    queries: queries.length,
    rows: answers.reduce((sum, answer) => sum + answer.rows, 0),
    samples,
    checksum: hash("sha256", checksums, "hex").slice(0, 16),
    medianMs: median(timesMs),
    p99Ms: quantile(timesMs, 0.99),
    maxMs: Math.max(...timesMs),
    samplesPerSecond: (samples * 1000) / totalMs,
    mediansMs: [median(timesMs)],
  };
}

/** Sums an answer up. */
export function answerOf({ series }: StoreAnswer): Answer {
  const digest = new AnswerDigest();
  for (const { labels, times, values } of series) digest.add(identityOf(labels), times, values);
  return digest.answer();
}

function check(found: Answer, expected: Answer, query: SampleQuery, i: number): void {
  if (found.rows === expected.rows && found.checksum === expected.checksum) return;
  throw new WrongAnswer(
    `query ${i + 1} of ${query.kind} was answered with ${found.rows} rows (${found.checksum}), ` +
      `and the data has ${expected.rows} (${expected.checksum})`,
  );
}

/** A store answered something else than the data says: no figure of it is shown. */
export class WrongAnswer extends Error {}
