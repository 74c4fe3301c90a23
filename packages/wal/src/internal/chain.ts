import { crc32c, writeU32 } from "@varve/bytes";

/**
 * The checksum that ties batches together: CRC-32C over the chain of the last private record, the headers of the
 * fragments since, and the next private record up to its own chain.
 */
export class Chain {
  /** That of the last private record. */
  value = 0;
  /** The next one so far. */
  run = 0;
  readonly #bytes = new Uint8Array(4);

  constructor() {
    this.set(0);
  }

  set(value: number): void {
    this.value = value;
    writeU32(this.#bytes, 0, value);
    this.run = crc32c(this.#bytes, 0, 4);
  }

  /** Covers a fragment's header. */
  cover(bytes: Uint8Array, from: number, until: number): void {
    this.run = crc32c(bytes, from, until, this.run);
  }

  /** What a private record's chain is, given its earlier bytes. */
  of(bytes: Uint8Array, from: number, until: number): number {
    return crc32c(bytes, from, until, this.run);
  }
}
