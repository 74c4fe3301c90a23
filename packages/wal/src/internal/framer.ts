import { crc32c, writeU32, writeU64 } from "@varve/bytes";
import { NO_OFFSET, type Memory, type Offset } from "@varve/contracts";
import { Chain } from "./chain.ts";
import { FrameKernel } from "./frame-kernel.ts";
import {
  COMMIT_BYTES,
  COMMIT_TYPE,
  END_BYTES,
  END_TYPE,
  FIRST,
  FULL,
  HEADER_BYTES,
  LAST,
  MIDDLE,
  PAGE_BYTES,
  PAGE_MASK,
  SEGMENT_BYTES,
  SEGMENT_TYPE,
  STORE_ID_BYTES,
  VERSION,
} from "./layout.ts";

/** Above this many bytes a native copy is cheaper than a loop, although it allocates a view. */
const LOOP_BYTES_MAX = 384;

export interface FramerOptions {
  /** Bytes to begin with. */
  readonly bytes: number;
  /** Where the fragments lie, as long as there is room: a kernel frames records that lie there. */
  readonly memory?: Memory | undefined;
}

/**
 * Turns records into fragments of pages, in memory: what lies in `out` is the file from `base` on.
 */
export class Framer {
  out: Uint8Array = new Uint8Array(0);
  /** Bytes framed and not yet released. */
  length = 0;
  /** Where out[0] goes in the file. */
  base = 0;
  readonly #chain = new Chain();
  readonly #scratch = new Uint8Array(SEGMENT_BYTES);
  readonly #memory: Memory | undefined;
  readonly #kernel: FrameKernel | null;
  /** Where `out` lies in the memory, if it does. */
  #outAt: Offset = NO_OFFSET;

  constructor({ bytes, memory }: FramerOptions) {
    this.#memory = memory;
    this.#kernel = memory === undefined ? null : FrameKernel.open(memory);
    this.#move(Math.max(bytes, PAGE_BYTES));
  }

  /** Where the next fragment goes in the file. */
  get position(): number {
    return this.base + this.length;
  }

  /** Makes room for `more` bytes. */
  reserve(more: number): void {
    const wanted = this.length + more;
    if (wanted <= this.out.length) return;
    this.#move(Math.max(this.out.length * 2, wanted));
  }

  /** What is in `out` is in the file now. */
  release(): void {
    this.base += this.length;
    this.length = 0;
  }

  /** Starts a file. */
  startFile(): void {
    this.base = 0;
    this.length = 0;
  }

  /** The chain after the last private record. */
  get chain(): number {
    return this.#chain.value;
  }

  setChain(chain: number): void {
    this.#chain.set(chain);
  }

  /** Frames a record of the caller's. Room must be reserved. */
  record(bytes: Uint8Array, from: number, until: number): void {
    const kernel = this.#kernel;
    if (kernel === null || this.#outAt === NO_OFFSET || !kernel.reaches(bytes)) {
      this.#fragments(bytes, from, until, true);
      return;
    }
    const { base, out, length } = this;
    this.length = kernel.frame(bytes, from, until, out, length, base & PAGE_MASK, this.#chain.run);
    this.#chain.run = kernel.run;
  }

  /** Gives back what it took of the memory. It is not used after this. */
  dispose(): void {
    this.#kernel?.dispose();
    this.#give();
  }

  commit(records: number, lsn: number, durable: number): void {
    const scratch = this.#scratch;
    scratch[0] = COMMIT_TYPE;
    scratch[1] = VERSION;
    writeU32(scratch, 2, records);
    writeU64(scratch, 6, lsn);
    writeU64(scratch, 14, durable);
    this.#private(COMMIT_BYTES);
  }

  segment(storeId: Uint8Array, firstLsn: number): void {
    const scratch = this.#scratch;
    scratch[0] = SEGMENT_TYPE;
    scratch[1] = VERSION;
    for (let i = 0; i < STORE_ID_BYTES; i += 1) scratch[2 + i] = storeId[i]!;
    writeU64(scratch, 2 + STORE_ID_BYTES, firstLsn);
    this.#private(SEGMENT_BYTES);
  }

  end(lastLsn: number): void {
    const scratch = this.#scratch;
    scratch[0] = END_TYPE;
    writeU64(scratch, 1, lastLsn);
    this.#private(END_BYTES);
  }

  /** Fills the current page with zeros, unless it is untouched. */
  padPage(): void {
    const used = (this.base + this.length) & PAGE_MASK;
    if (used === 0) return;
    this.reserve(PAGE_BYTES - used);
    this.out.fill(0, this.length, this.length + PAGE_BYTES - used);
    this.length += PAGE_BYTES - used;
  }

  #move(size: number): void {
    const kernel = this.#kernel;
    const at = kernel === null ? NO_OFFSET : this.#memory!.take(size, true);
    const out = at === NO_OFFSET ? new Uint8Array(size) : this.#memory!.bytes(at, size);
    out.set(this.out.subarray(0, this.length));
    this.#give();
    this.#outAt = at;
    this.out = out;
  }

  #give(): void {
    if (this.#outAt !== NO_OFFSET) this.#memory!.give(this.#outAt, this.out.length);
    this.#outAt = NO_OFFSET;
    this.out = new Uint8Array(0);
  }

  /** Frames the private record in the scratch bytes; its last four are the chain. */
  #private(length: number): void {
    const scratch = this.#scratch;
    const chain = this.#chain.of(scratch, 0, length - 4);
    writeU32(scratch, length - 4, chain);
    this.#fragments(scratch, 0, length, false);
    this.setChain(chain);
  }

  #fragments(bytes: Uint8Array, from: number, until: number, chained: boolean): void {
    const out = this.out;
    let at = this.length;
    let next = from;
    let isFirst = true;
    for (;;) {
      const left = PAGE_BYTES - ((this.base + at) & PAGE_MASK);
      const room = left - HEADER_BYTES;
      const rest = until - next;
      const part = rest < room ? rest : room;
      const isLast = part === rest;
      const start = at + HEADER_BYTES;
      if (part <= LOOP_BYTES_MAX)
        for (let i = 0; i < part; i += 1) out[start + i] = bytes[next + i]!;
      else out.set(bytes.subarray(next, next + part), start);
      const sum = crc32c(out, start, start + part);
      out[at] = isLast ? (isFirst ? FULL : LAST) : isFirst ? FIRST : MIDDLE;
      out[at + 1] = part >>> 8;
      out[at + 2] = part;
      out[at + 3] = sum >>> 24;
      out[at + 4] = sum >>> 16;
      out[at + 5] = sum >>> 8;
      out[at + 6] = sum;
      if (chained) this.#chain.cover(out, at, start);
      at = start + part;
      next += part;
      // A header does not fit the rest of the page: zeros, and on with the next page.
      let rim = room - part;
      if (rim < HEADER_BYTES) for (; rim > 0; rim -= 1) out[at++] = 0;
      if (isLast) break;
      isFirst = false;
    }
    this.length = at;
  }
}
