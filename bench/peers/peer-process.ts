import { fileURLToPath } from "node:url";
import { Forked, PeerFailure } from "./forked.ts";
import type { FromPeer, LoadReport, ToPeer, TurnReport } from "./messages.ts";

const PROGRAM = fileURLToPath(new URL("./peer-main.ts", import.meta.url));

/** A peer in a process of its own. Calls throw PeerFailure when it fails, and the signal's reason once that is aborted. */
export interface PeerProcess extends Disposable {
  load(message: ToPeer & { readonly kind: "load" }): Promise<LoadReport>;
  /** Does work, by its place in the list. */
  takeTurn(work: number): Promise<TurnReport>;
}

/** Starts a peer. It is killed when it is disposed of, when the signal is aborted, and when this process ends. */
export function startPeer(signal: AbortSignal): PeerProcess {
  return new ForkedPeer(new Forked(PROGRAM, signal));
}

class ForkedPeer implements PeerProcess {
  readonly #child: Forked<ToPeer, FromPeer>;

  constructor(child: Forked<ToPeer, FromPeer>) {
    this.#child = child;
  }

  async load(message: ToPeer & { readonly kind: "load" }): Promise<LoadReport> {
    const answer = await this.#child.ask(message);
    if (answer.kind === "loaded") return answer.report;
    throw new PeerFailure(`answered a load with ${answer.kind}`);
  }

  async takeTurn(work: number): Promise<TurnReport> {
    const answer = await this.#child.ask({ kind: "turn", work });
    if (answer.kind === "done") return answer.turn;
    throw new PeerFailure(`answered a turn with ${answer.kind}`);
  }

  [Symbol.dispose](): void {
    this.#child[Symbol.dispose]();
  }
}
