/** Where something lies in a `Memory`: an unsigned byte offset. */
export type Offset = number;

/** No offset: what `take` answers when the memory is full. Offset 0 is never handed out. */
export const NO_OFFSET = 0;

/** A shared WebAssembly memory, by shape: callers need no WebAssembly types to compile against varve. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

/**
 * One linear memory, reserved once: views of it never go stale.
 *
 * It hands out spans in size classes. Views are sub-views that start at index 0, because indices
 * at or above 2^31 leave V8's fast path.
 */
export interface Memory {
  /** For kernels, and for workers: post this, never a view. */
  readonly wasm: WasmMemory;
  /** Size of the reservation, in bytes. */
  readonly bytesMax: number;
  /** Bytes handed out and not given back, in whole size classes. */
  readonly bytesTaken: number;
  /**
   * Takes a span of at least `bytes`, aligned to 64 bytes, zeroed unless `dirty` is true.
   * Answers `NO_OFFSET` when the memory is full.
   */
  take(bytes: number, dirty?: boolean): Offset;
  /**
   * Touches the next `bytes` that no span has used yet, so that whoever takes them does not wait for the
   * system to bring pages. What was touched before is not touched again.
   */
  prefault(bytes: number): void;
  /** Gives a span back; `bytes` is what it was taken with. Its views must not be used again. */
  give(at: Offset, bytes: number): void;
  bytes(at: Offset, length: number): Uint8Array;
  words(at: Offset, length: number): Int32Array;
  unsigned(at: Offset, length: number): Uint32Array;
  doubles(at: Offset, length: number): Float64Array;
}
