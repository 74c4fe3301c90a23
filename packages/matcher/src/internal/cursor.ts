import { StorageError } from "@varve/contracts";

/** Blanks, and comments from `#` to the end of the line. */
const BLANKS = /(?:[ \t\r\n]|#[^\n]*)*/y;

/** A place in the text of a selector. */
export class Cursor {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  skipBlanks(): void {
    this.take(BLANKS);
  }

  /** Steps over a sticky expression's match and returns it: "" when there is none here. */
  take(expression: RegExp): string {
    expression.lastIndex = this.at;
    const found = expression.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  /** Steps over a word when it stands here. */
  takeWord(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  /** The error of finding something else here than `expected`. */
  unexpected(expected: string): StorageError {
    const point = this.text.codePointAt(this.at);
    const found = point === undefined ? "the end" : JSON.stringify(String.fromCodePoint(point));
    return this.error(this.at, `expected ${expected}, found ${found}`);
  }

  /** An INPUT error about the place `at`. Places count characters from 1, as editors do. */
  error(at: number, problem: string, cause?: unknown): StorageError {
    return new StorageError("INPUT", `selector ${this.text}: at ${at + 1}: ${problem}`, {
      cause,
      facts: { selector: this.text, offset: at },
    });
  }
}
