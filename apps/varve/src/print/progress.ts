/** Work that takes less says nothing. */
const SILENT_MS = 2000;
/** Between two lines on a terminal, which replace each other, and elsewhere, which do not. */
const TERMINAL_MS = 200;
const PLAIN_MS = 5000;
/** Clears what is left of an older, longer line. */
const CLEAR_LINE = "\r\u001b[K";

/** Where a progress goes: stderr. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * Shows how far long work is, on stderr: one live line on a terminal, plain lines elsewhere, nothing in the first two
 * seconds. `text` is asked only when a line is due.
 */
export class Progress implements Disposable {
  readonly #stream: ProgressStream;
  readonly #clock: () => number;
  #nextMs: number;
  #isShown = false;

  constructor(
    stream: ProgressStream = process.stderr,
    clock: () => number = () => performance.now(),
  ) {
    this.#stream = stream;
    this.#clock = clock;
    this.#nextMs = clock() + SILENT_MS;
  }

  /** Call it as often as you like. */
  update(text: () => string): void {
    const now = this.#clock();
    if (now < this.#nextMs) return;
    const isTerminal = this.#stream.isTTY === true;
    this.#nextMs = now + (isTerminal ? TERMINAL_MS : PLAIN_MS);
    const line = text();
    if (!isTerminal) {
      this.#stream.write(`${line}\n`);
      return;
    }
    this.#stream.write(CLEAR_LINE + line.slice(0, (this.#stream.columns ?? 80) - 1));
    this.#isShown = true;
  }

  /** Takes the live line away. */
  [Symbol.dispose](): void {
    if (this.#isShown) this.#stream.write(CLEAR_LINE);
    this.#isShown = false;
  }
}

/** How much of a known whole is done: `[█████     ] 48 %`. */
export function bar(done: number, whole: number): string {
  const share = whole > 0 ? Math.min(1, done / whole) : 1;
  const filled = Math.round(share * 20);
  return `[${"█".repeat(filled)}${" ".repeat(20 - filled)}] ${Math.floor(share * 100)} %`;
}
