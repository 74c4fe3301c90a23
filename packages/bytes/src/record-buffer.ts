import type { RecordBuffer } from "@varve/contracts";

/** Makes a record buffer that doubles when it is full. */
export function makeRecordBuffer(options: { readonly bytes?: number } = {}): RecordBuffer {
  const { bytes = 64 * 1024 } = options;
  return new GrowingRecordBuffer(bytes);
}

class GrowingRecordBuffer implements RecordBuffer {
  bytes: Uint8Array;
  length = 0;
  ends: Uint32Array = new Uint32Array(64);
  count = 0;

  constructor(bytes: number) {
    this.bytes = new Uint8Array(bytes);
  }

  reserve(more: number): void {
    const wanted = this.length + more;
    if (wanted <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.bytes.length * 2, wanted));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
  }

  endRecord(): void {
    if (this.count === this.ends.length) {
      const ends = new Uint32Array(this.ends.length * 2);
      ends.set(this.ends);
      this.ends = ends;
    }
    this.ends[this.count] = this.length;
    this.count += 1;
  }

  clear(): void {
    this.length = 0;
    this.count = 0;
  }
}
