import {
  makeQueries,
  QUERY_SHAPES,
  type QueryDomain,
  type QueryKind,
  type QueryShape,
  type SampleQuery,
} from "@varve/workload";

/** Queries of one kind: what a peer does in one turn. */
export interface Work {
  readonly kind: QueryKind;
  readonly queries: readonly SampleQuery[];
}

/** What work is made from. Plain data: a child process gets it. */
export interface WorkSpec {
  readonly kinds: readonly QueryKind[];
  /** Most queries of a turn; kinds that read much get fewer. */
  readonly queriesMax: number;
  readonly seed: number;
}

/** Samples that the queries of a turn may read together, at a guess. */
const TURN_SAMPLES = 1_000_000;

/** Makes the work of a run: the same in every process. */
export function makeWork({ kinds, queriesMax, seed }: WorkSpec, domain: QueryDomain): Work[] {
  return kinds.map((kind) => {
    const shape: QueryShape = QUERY_SHAPES[kind];
    const metrics = Math.min(shape.metrics, domain.metrics.length);
    const hosts = Math.min(shape.hosts, domain.hosts.length);
    const rangeMs = Math.min(shape.rangeMs, domain.until - domain.from);
    const samples = Math.max(1, (metrics * hosts * rangeMs) / domain.stepMs);
    const count = Math.max(1, Math.min(queriesMax, Math.floor(TURN_SAMPLES / samples)));
    return { kind, queries: makeQueries(kind, domain, { seed, count }) };
  });
}
