import { isStorageError } from "@varve/contracts";
import type { BlockProblem, BlockProblemCode } from "../verify.ts";

/** Gathers problems up to a bound: what is thrown by a reading is one too. */
export class Problems {
  readonly found: BlockProblem[] = [];
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** Looking on is of no use. */
  get isFull(): boolean {
    return this.found.length >= this.#max;
  }

  add(code: BlockProblemCode, file: string, offset: number, message: string): void {
    if (!this.isFull) this.found.push({ code, file, offset, message });
  }

  /** Takes an error that says that stored bytes are damaged. Others are thrown on. */
  catch(code: BlockProblemCode, file: string, error: unknown): void {
    const isDamage =
      isStorageError(error, "BLOCK_CORRUPT") || isStorageError(error, "UNSUPPORTED_VERSION");
    if (!isDamage) throw error;
    const { path, offset, reason } = error.facts;
    const at = typeof offset === "number" ? offset : 0;
    const text = typeof reason === "string" ? reason : error.message;
    this.add(code, typeof path === "string" ? path : file, at, text);
  }

  /** Runs a check, and returns what it returns, or undefined when it finds damage. */
  try<T>(code: BlockProblemCode, file: string, check: () => T): T | undefined {
    try {
      return check();
    } catch (error) {
      this.catch(code, file, error);
      return undefined;
    }
  }

  /** The same for a check that waits. */
  async tryAsync<T>(
    code: BlockProblemCode,
    file: string,
    check: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await check();
    } catch (error) {
      this.catch(code, file, error);
      return undefined;
    }
  }
}
