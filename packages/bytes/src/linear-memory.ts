import {
  assert,
  NO_OFFSET,
  StorageError,
  type Memory,
  type Offset,
  type WasmMemory,
} from "@varve/contracts";
import { FreeSpans } from "./free-spans.ts";

/** WebAssembly's page, in bytes. */
const PAGE_BYTES = 65_536;
/** A memory of 65,536 pages breaks `postMessage`: views arrive empty or fail. One page less works. */
const PAGES_MAX = 65_535;
/** What the system brings at first touch, at least. */
const SYSTEM_PAGE_BYTES = 4096;
/** Spans start on a cache line. */
const ALIGNMENT = 64;
/** Below this, spans are multiples of a cache line; above, powers of two and their halves between. */
const SMALL_BYTES_MAX = 4096;

/** Default reservation: 1 GiB of address space. Resident memory grows only where something is touched. */
export const MEMORY_BYTES_MAX = 2 ** 30;

/** Reserves a linear memory. Throws LIMIT, naming `memoryBytesMax`, when the system refuses. */
export function reserveMemory(options: { readonly bytesMax?: number } = {}): Memory {
  const { bytesMax = MEMORY_BYTES_MAX } = options;
  return new LinearMemory(bytesMax);
}

/** The size class that serves a request: what `take` really sets aside, in bytes. */
export function spanBytes(bytes: number): number {
  if (bytes <= SMALL_BYTES_MAX)
    return Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
  const power = 2 ** Math.ceil(Math.log2(bytes));
  return bytes <= power * 0.75 ? power * 0.75 : power;
}

class LinearMemory implements Memory {
  readonly wasm: WasmMemory;
  readonly bytesMax: number;
  #taken = 0;
  /** All before this was touched, or is about to be by whoever took it. */
  #touched = 0;
  #next = ALIGNMENT; // The first line stays unused: offset 0 means none.
  /** All from here on was never handed out, and so is zero. */
  #fresh = ALIGNMENT;
  /** Spans given back, in lines; none of them ends at `#next`. */
  readonly #free = new FreeSpans();

  constructor(bytesMax: number) {
    const pages = Math.ceil(bytesMax / PAGE_BYTES);
    if (!Number.isSafeInteger(bytesMax) || pages < 1 || pages > PAGES_MAX) {
      throw new StorageError(
        "LIMIT",
        `memoryBytesMax is ${bytesMax}; it can be 1 to ${PAGES_MAX * PAGE_BYTES} bytes (${PAGES_MAX} pages)`,
        { facts: { limit: "memoryBytesMax", value: bytesMax, max: PAGES_MAX * PAGE_BYTES } },
      );
    }
    try {
      const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
      this.wasm = memory as unknown as WasmMemory; // Shared: its buffer is a SharedArrayBuffer.
    } catch (cause) {
      throw new StorageError(
        "LIMIT",
        `cannot reserve ${bytesMax} bytes of address space; open with a smaller memoryBytesMax`,
        { cause, facts: { limit: "memoryBytesMax", value: bytesMax } },
      );
    }
    this.bytesMax = pages * PAGE_BYTES;
  }

  get bytesTaken(): number {
    return this.#taken;
  }

  take(bytes: number, dirty = false): Offset {
    assert(bytes > 0, `a span has at least one byte, got ${bytes}`);
    const size = spanBytes(bytes);
    const reused = this.#free.take(size / ALIGNMENT) * ALIGNMENT;
    const at = reused === NO_OFFSET ? this.#next : reused;
    if (at + size > this.bytesMax) return NO_OFFSET;
    if (at === this.#next) this.#next = at + size;
    this.#taken += size;
    const used = Math.min(size, this.#fresh - at);
    if (used > 0 && !dirty) this.bytes(at, used).fill(0);
    if (used < size) this.#fresh = at + size;
    return at;
  }

  give(at: Offset, bytes: number): void {
    assert(at !== NO_OFFSET && at % ALIGNMENT === 0, `a span starts on a line, got ${at}`);
    const size = spanBytes(bytes);
    assert(at + size <= this.#next, "a span that is given back was taken");
    this.#taken -= size;
    this.#free.add(at / ALIGNMENT, size / ALIGNMENT);
    this.#next = this.#free.takeEndingAt(this.#next / ALIGNMENT) * ALIGNMENT;
  }

  prefault(bytes: number): void {
    const from = Math.max(this.#touched, this.#next);
    const until = Math.min(this.#next + bytes, this.bytesMax);
    if (until <= from) return;
    const fresh = this.bytes(from, until - from);
    for (let i = 0; i < fresh.length; i += SYSTEM_PAGE_BYTES) fresh[i] = 0; // It is 0: a write makes it resident.
    this.#touched = until;
  }

  bytes(at: Offset, length: number): Uint8Array {
    return new Uint8Array(this.wasm.buffer, at, length);
  }

  words(at: Offset, length: number): Int32Array {
    return new Int32Array(this.wasm.buffer, at, length);
  }

  unsigned(at: Offset, length: number): Uint32Array {
    return new Uint32Array(this.wasm.buffer, at, length);
  }

  doubles(at: Offset, length: number): Float64Array {
    return new Float64Array(this.wasm.buffer, at, length);
  }
}
