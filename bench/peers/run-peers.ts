import type { QueryDataSpec } from "@varve/lab";
import { expectedAnswer } from "@varve/workload";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeData } from "./data.ts";
import type { LoadReport } from "./messages.ts";
import { addTurns, makePairs, type ExpectedWork, type Pair } from "./pairs.ts";
import { PeerFailure } from "./forked.ts";
import { startPeer, type PeerProcess } from "./peer-process.ts";
import type { PeerName, RivalName } from "./store.ts";
import { makeWork, type WorkSpec } from "./work.ts";

/** What is run. */
export interface PeersSpec {
  readonly data: QueryDataSpec;
  readonly work: WorkSpec;
  readonly rivals: readonly RivalName[];
  /** Turns that varve and each rival take at each kind of work. */
  readonly repeats: number;
  /** Where stores are made, and removed in the end. */
  readonly dir: string;
}

/** A step that was done, for progress displays. */
export interface PeersEvent {
  readonly text: string;
  readonly done: number;
  readonly total: number;
}

/** What a run came to, or what there was of it when it was interrupted. */
export interface PeersResult {
  readonly works: readonly ExpectedWork[];
  readonly pairs: readonly Pair[];
  readonly stores: Readonly<Partial<Record<PeerName, LoadReport>>>;
}

/**
 * Loads the same data into varve and its rivals, each in a process of its own, and has them do the same work in turns:
 * varve, rival, varve, rival. One works at a time. Every answer is compared with what the data alone gives.
 */
export async function runPeers(
  spec: PeersSpec,
  signal: AbortSignal,
  onEvent: (event: PeersEvent) => void,
): Promise<PeersResult> {
  const runDir = mkdtempSync(join(spec.dir, "varve-peers-"));
  const removeRunDir = (): void => {
    rmSync(runDir, { recursive: true, force: true, maxRetries: 3 });
  };
  process.on("exit", removeRunDir);
  using stack = new DisposableStack();
  const run = new PeersRun(spec, { runDir, stack, signal, onEvent });
  try {
    await run.load();
    await run.takeTurns();
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    removeRunDir();
    process.off("exit", removeRunDir);
  }
  return run;
}

interface RunContext {
  readonly runDir: string;
  readonly stack: DisposableStack;
  readonly signal: AbortSignal;
  readonly onEvent: (event: PeersEvent) => void;
}

class PeersRun implements PeersResult {
  works: readonly ExpectedWork[] = [];
  readonly pairs: readonly Pair[];
  readonly stores: Partial<Record<PeerName, LoadReport>> = {};
  readonly #spec: PeersSpec;
  readonly #context: RunContext;
  readonly #processes = new Map<PeerName, PeerProcess>();
  #done = 0;

  constructor(spec: PeersSpec, context: RunContext) {
    this.#spec = spec;
    this.#context = context;
    this.pairs = makePairs(spec.work.kinds, spec.rivals);
  }

  /** One store after the other. A rival that cannot be loaded fails where it would have taken part. */
  async load(): Promise<void> {
    const { data, domain } = await makeData(this.#spec.data);
    this.works = makeWork(this.#spec.work, domain).map((work): ExpectedWork => ({
      ...work,
      answers: work.queries.map((query) => expectedAnswer(query, data)),
    }));
    await this.#loadPeer("varve", this.pairs);
    for (const rival of this.#spec.rivals) {
      await this.#loadPeer(
        rival,
        this.pairs.filter((pair) => pair.rival === rival),
      );
    }
  }

  async takeTurns(): Promise<void> {
    for (let repeat = 1; repeat <= this.#spec.repeats; repeat += 1) {
      for (const pair of this.pairs) {
        await this.#takeTurn(pair);
        const outcome = pair.failure === null ? "" : ": failed";
        this.#tell(`${pair.kind}, varve and ${pair.rival}, repeat ${repeat}${outcome}`);
      }
    }
  }

  async #loadPeer(peer: PeerName, pairs: readonly Pair[]): Promise<void> {
    const { runDir, stack, signal } = this.#context;
    const { data, work } = this.#spec;
    const dir = join(runDir, peer);
    mkdirSync(dir);
    const started = stack.use(startPeer(signal));
    this.#processes.set(peer, started);
    await orFailed(pairs, peer, async () => {
      this.stores[peer] = await started.load({ kind: "load", peer, dir, data, work });
    });
    this.#tell(this.stores[peer] === undefined ? `${peer}: failed` : `${peer} is loaded`);
  }

  async #takeTurn(pair: Pair): Promise<void> {
    const { rival } = pair;
    const at = this.works.findIndex(({ kind }) => kind === pair.kind);
    const turnOf = (peer: PeerName) => this.#processes.get(peer)!.takeTurn(at);
    if (pair.failure !== null) return;
    await orFailed([pair], "varve", async () => {
      const ours = await turnOf("varve");
      await orFailed([pair], rival, async () => {
        addTurns(pair, this.works[at]!, { ours, theirs: await turnOf(rival) });
      });
    });
  }

  #tell(text: string): void {
    const { repeats, rivals } = this.#spec;
    this.#done += 1;
    const total = 1 + rivals.length + repeats * this.pairs.length;
    this.#context.onEvent({ text, done: this.#done, total });
  }
}

/** Notes the failure of a peer at the pairs that needed it; whatever else is thrown goes on. */
async function orFailed(
  pairs: readonly Pair[],
  peer: PeerName,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof PeerFailure)) throw error;
    for (const pair of pairs) pair.failure ??= `${peer}: ${error.message}`;
  }
}
