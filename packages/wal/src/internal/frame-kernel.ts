import { crc32cTables, loadKernel } from "@varve/bytes";
import { NO_OFFSET, type Memory, type Offset } from "@varve/contracts";

/** What kernel/frame.ts exports. Places are byte offsets of the memory. */
interface Exports {
  frame(
    from: number,
    until: number,
    out: number,
    at: number,
    base: number,
    tables: number,
    chain: number,
  ): number;
}

const KERNEL = new URL("../../dist/kernel/frame.wasm", import.meta.url);
/** In front of the tables: a word for the chain, on a cache line of its own. */
const HEAD_BYTES = 64;

/** Frames records that lie in the memory to bytes that lie there, too. */
export class FrameKernel {
  readonly #memory: Memory;
  readonly #exports: Exports;
  readonly #at: Offset;
  readonly #bytes: number;
  readonly #chain: Int32Array;

  private constructor(memory: Memory, at: Offset, tables: Uint8Array) {
    this.#memory = memory;
    this.#exports = loadKernel<Exports>(KERNEL, memory);
    this.#at = at;
    this.#bytes = HEAD_BYTES + tables.length;
    this.#chain = memory.words(at, 1);
    memory.bytes(at + HEAD_BYTES, tables.length).set(tables);
  }

  /** Null when the memory has no room for the tables. */
  static open(memory: Memory): FrameKernel | null {
    const tables = crc32cTables();
    const at = memory.take(HEAD_BYTES + tables.length, true);
    return at === NO_OFFSET ? null : new FrameKernel(memory, at, tables);
  }

  /** Whether bytes lie where the kernel can reach them. */
  reaches(bytes: Uint8Array): boolean {
    return bytes.buffer === this.#memory.wasm.buffer;
  }

  /**
   * Frames bytes[from … until) to `out` at `at`, which is the place base + at of the file, and returns the position behind.
   * `run` is the checksum over headers; `this.run` what it is after these.
   */
  frame(
    bytes: Uint8Array,
    from: number,
    until: number,
    out: Uint8Array,
    at: number,
    base: number,
    run: number,
  ): number {
    this.#chain[0] = run;
    const start = bytes.byteOffset;
    const tables = this.#at + HEAD_BYTES;
    return (
      this.#exports.frame(
        start + from,
        start + until,
        out.byteOffset,
        at,
        base,
        tables,
        this.#at,
      ) >>> 0
    );
  }

  /** The checksum over headers after the last `frame`. */
  get run(): number {
    return this.#chain[0]! >>> 0;
  }

  dispose(): void {
    this.#memory.give(this.#at, this.#bytes);
  }
}
