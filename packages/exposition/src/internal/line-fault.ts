/** What is wrong with a line, and at which byte of the buffer. The reader adds the line's number. */
export class LineFault extends Error {
  /** Position in the bytes that were being parsed. */
  readonly at: number;

  constructor(at: number, reason: string) {
    super(reason);
    this.at = at;
  }
}

/** Longest piece of input that a message repeats, in characters. */
const QUOTED_MAX = 60;

/** Input for a message: in quotes, cut when it is long. Malformed UTF-8 shows as U+FFFD. */
export function quoteBytes(bytes: Uint8Array, from: number, until: number): string {
  const end = Math.min(until, from + QUOTED_MAX * 4);
  return quote(Buffer.from(bytes.subarray(from, end)).toString("utf8"));
}

/** The same for text. */
export function quote(text: string): string {
  if (text.length <= QUOTED_MAX) return JSON.stringify(text);
  return `${JSON.stringify(text.slice(0, QUOTED_MAX))}…`;
}
