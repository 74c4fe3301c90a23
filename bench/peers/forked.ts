import { fork, type ChildProcess } from "node:child_process";

/** Bytes of the end of what a child says on stderr that are kept for the reason. */
const TAIL_BYTES = 1024;

/** What every child may answer. */
interface Failed {
  readonly kind: "failed";
  readonly reason: string;
}

/** A peer could not do what it was told. */
export class PeerFailure extends Error {}

/**
 * A child process that answers one message with one. It is killed when it is disposed of, when the signal is aborted, and
 * when this process ends.
 */
export class Forked<
  To extends object,
  From extends { readonly kind: string },
> implements Disposable {
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal;
  readonly #kill = (): void => void this.#child.kill("SIGKILL");
  /** Resolves when the process is gone. */
  readonly #closed: Promise<void>;
  /** Told how the process ended, or what it answered. */
  #listener: (answer: From | Failed) => void = () => undefined;
  #ended: Failed | null = null;
  #tail = "";

  /** Starts a program. */
  constructor(program: string, signal: AbortSignal) {
    // The flags of this process decide whether packages are found as sources.
    const execArgv = [...process.execArgv, "--expose-gc"];
    const child = fork(program, [], {
      execArgv,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      serialization: "advanced",
    });
    this.#child = child;
    this.#signal = signal;
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#tail = (this.#tail + text).slice(-TAIL_BYTES);
    });
    child.on("message", (message) => this.#listener(message as From));
    child.once("error", (error) => this.#end(`could not be started: ${error.message}`));
    child.once("close", (code, name) => {
      this.#end(`the process ended by ${name ?? `code ${code}`}: ${this.#tail.trim()}`);
    });
    this.#closed = new Promise((resolve) => {
      child.once("error", () => resolve());
      child.once("close", () => resolve());
    });
    signal.addEventListener("abort", this.#kill);
    process.on("exit", this.#kill);
    if (signal.aborted) this.#kill();
  }

  /** Resolves with the answer. Throws PeerFailure when the child fails, and the signal's reason once that is aborted. */
  async ask(message: To): Promise<Exclude<From, Failed>> {
    const answer = await new Promise<From | Failed>((resolve) => {
      this.#listener = resolve;
      if (this.#ended !== null) resolve(this.#ended);
      else this.#child.send(message, () => undefined);
    });
    this.#signal.throwIfAborted();
    if (answer.kind === "failed") throw new PeerFailure((answer as Failed).reason);
    return answer as Exclude<From, Failed>;
  }

  /** Kills the process, and resolves when it is gone and what it held is given back. */
  async kill(): Promise<void> {
    this.#kill();
    await this.#closed;
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#kill);
    process.off("exit", this.#kill);
    this.#kill();
  }

  #end(reason: string): void {
    this.#ended ??= { kind: "failed", reason };
    this.#listener(this.#ended);
  }
}
