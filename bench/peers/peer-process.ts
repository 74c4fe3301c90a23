import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { FromPeer, LoadReport, ToPeer, TurnReport } from "./messages.ts";

const PROGRAM = fileURLToPath(new URL("./peer-main.ts", import.meta.url));
/** Bytes of the end of what a peer says on stderr that are kept for the reason. */
const TAIL_BYTES = 1024;

/** A peer in a process of its own. Calls throw PeerFailure when it fails, and the signal's reason once that is aborted. */
export interface PeerProcess extends Disposable {
  load(message: ToPeer & { readonly kind: "load" }): Promise<LoadReport>;
  /** Does work, by its place in the list. */
  takeTurn(work: number): Promise<TurnReport>;
}

/** A peer could not do what it was told. */
export class PeerFailure extends Error {}

/** Starts a peer. It is killed when it is disposed of, when the signal is aborted, and when this process ends. */
export function startPeer(signal: AbortSignal): PeerProcess {
  // The flags of this process decide whether packages are found as sources.
  const execArgv = [...process.execArgv, "--expose-gc"];
  const child = fork(PROGRAM, [], {
    execArgv,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced",
  });
  return new ForkedPeer(child, signal);
}

class ForkedPeer implements PeerProcess {
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal;
  readonly #kill = (): void => void this.#child.kill("SIGKILL");
  /** Told how the process ended, or what it answered. */
  #listener: (answer: FromPeer) => void = () => undefined;
  #ended: FromPeer | null = null;
  #tail = "";

  constructor(child: ChildProcess, signal: AbortSignal) {
    this.#child = child;
    this.#signal = signal;
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#tail = (this.#tail + text).slice(-TAIL_BYTES);
    });
    child.on("message", (message) => this.#listener(message as FromPeer));
    child.once("error", (error) => this.#end(`could not be started: ${error.message}`));
    child.once("close", (code, name) => {
      this.#end(`the process ended by ${name ?? `code ${code}`}: ${this.#tail.trim()}`);
    });
    signal.addEventListener("abort", this.#kill);
    process.on("exit", this.#kill);
    if (signal.aborted) this.#kill();
  }

  async load(message: ToPeer & { readonly kind: "load" }): Promise<LoadReport> {
    const answer = await this.#ask(message);
    if (answer.kind === "loaded") return answer.report;
    throw new PeerFailure(`answered a load with ${answer.kind}`);
  }

  async takeTurn(work: number): Promise<TurnReport> {
    const answer = await this.#ask({ kind: "turn", work });
    if (answer.kind === "done") return answer.turn;
    throw new PeerFailure(`answered a turn with ${answer.kind}`);
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#kill);
    process.off("exit", this.#kill);
    this.#kill();
  }

  async #ask(message: ToPeer): Promise<FromPeer> {
    const answer = await new Promise<FromPeer>((resolve) => {
      this.#listener = resolve;
      if (this.#ended !== null) resolve(this.#ended);
      else this.#child.send(message, () => undefined);
    });
    this.#signal.throwIfAborted();
    if (answer.kind === "failed") throw new PeerFailure(answer.reason);
    return answer;
  }

  #end(reason: string): void {
    this.#ended ??= { kind: "failed", reason };
    this.#listener(this.#ended);
  }
}
