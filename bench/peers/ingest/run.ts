import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Forked, PeerFailure } from "../forked.ts";
import type { PeersEvent } from "../run-peers.ts";
import type { Pair } from "./pairs.ts";
import { refLabels } from "./plan.ts";
import { findPromtool, type FoundPromtool, runPromtool } from "./promtool.ts";
import type { FromTurn, TurnReport, TurnSpec } from "./turn.ts";
import { NOBODY, NOISE, type Rival, type Sizes } from "./works.ts";

const PROGRAM = fileURLToPath(new URL("./child.ts", import.meta.url));

/** What is run. */
export interface IngestSpec {
  /** Those that are asked for; they are filled in. */
  readonly pairs: readonly Pair[];
  readonly sizes: Sizes;
  readonly repeats: number;
  /** Where stores are made, and removed. */
  readonly dir: string;
}

/**
 * Has varve and its rivals do the same work in turns: varve, rival, varve, rival. Each turn has a process and an empty
 * directory of its own, and the next begins when both are gone.
 */
export async function runIngest(
  spec: IngestSpec,
  signal: AbortSignal,
  onEvent: (event: PeersEvent) => void,
): Promise<void> {
  const runDir = mkdtempSync(join(spec.dir, "varve-peers-"));
  const removeRunDir = (): void => {
    rmSync(runDir, { recursive: true, force: true, maxRetries: 3 });
  };
  process.on("exit", removeRunDir);
  try {
    await new IngestRun(spec, { runDir, signal, onEvent }).takeTurns();
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    removeRunDir();
    process.off("exit", removeRunDir);
  }
}

interface RunContext {
  readonly runDir: string;
  readonly signal: AbortSignal;
  readonly onEvent: (event: PeersEvent) => void;
}

class IngestRun {
  readonly #spec: IngestSpec;
  readonly #context: RunContext;
  readonly #promtool: FoundPromtool | null;
  #done = 0;
  #turns = 0;

  constructor(spec: IngestSpec, context: RunContext) {
    this.#spec = spec;
    this.#context = context;
    const withPromtool = spec.pairs.filter(({ rival }) => rival === "promtool");
    this.#promtool = withPromtool.length > 0 ? findPromtool() : null;
    for (const pair of withPromtool) pair.skipped = this.#promtool?.missing ?? null;
  }

  async takeTurns(): Promise<void> {
    const { pairs, repeats } = this.#spec;
    for (const { work, rival, skipped } of pairs) {
      if (skipped !== null) process.stderr.write(`${work}, ${rival}: SKIPPED: ${skipped}\n`);
    }
    const taken = pairs.filter(({ skipped }) => skipped === null);
    for (let repeat = 1; repeat <= repeats; repeat += 1) {
      for (const pair of taken) {
        await this.#takeTurn(pair);
        const outcome = pair.failure === null ? "" : ": failed";
        const text = `${pair.work}, varve and ${pair.rival}, repeat ${repeat}${outcome}`;
        this.#done += 1;
        this.#context.onEvent({ text, done: this.#done, total: taken.length * repeats });
      }
    }
  }

  /** Both sides count, or none: their turns stay pairs. */
  async #takeTurn(pair: Pair): Promise<void> {
    if (pair.failure !== null) return;
    let side = "varve";
    try {
      const ours = await this.#turnOf("varve", pair);
      side = pair.rival;
      const theirs = pair.rival === NOBODY ? null : await this.#turnOf(pair.rival, pair);
      pair.ours.push(ours);
      if (theirs !== null) pair.theirs.push(theirs);
    } catch (error) {
      if (!(error instanceof PeerFailure)) throw error;
      pair.failure = `${side}: ${error.message}`;
    }
  }

  async #turnOf(
    side: "varve" | Exclude<Rival, typeof NOBODY>,
    { work }: Pair,
  ): Promise<TurnReport> {
    const { sizes } = this.#spec;
    const { runDir, signal } = this.#context;
    this.#turns += 1;
    const dir = join(runDir, String(this.#turns));
    mkdirSync(dir);
    try {
      if (side !== "promtool") {
        const store = side === NOISE ? "varve" : side;
        return await runChild({ work, store, sizes, dir }, signal);
      }
      const labels = await refLabels(sizes);
      const version = this.#promtool?.missing === null ? this.#promtool.version : "unknown";
      return await runPromtool({ version, labels, scrapes: sizes.scrapes, dir }, signal);
    } finally {
      rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

async function runChild(spec: TurnSpec, signal: AbortSignal): Promise<TurnReport> {
  using child = new Forked<TurnSpec, FromTurn>(PROGRAM, signal);
  try {
    return (await child.ask(spec)).report;
  } finally {
    await child.kill();
  }
}
