/** Bytes that grow, shared between copies until one of them is written. */
export class Content {
  bytes: Uint8Array;
  size: number;
  #shared: boolean;

  constructor(bytes: Uint8Array = NOTHING, size = 0, shared = true) {
    this.bytes = bytes;
    this.size = size;
    this.#shared = shared;
  }

  /** The same content, without copying its bytes. */
  copy(): Content {
    this.#shared = true;
    return new Content(this.bytes, this.size, true);
  }

  write(from: Uint8Array, fromAt: number, length: number, at: number): void {
    this.#own(Math.max(this.size, at + length));
    if (at > this.size) this.bytes.fill(0, this.size, at); // A hole.
    if (length < 64) {
      for (let i = 0; i < length; i += 1) this.bytes[at + i] = from[fromAt + i]!;
    } else {
      this.bytes.set(from.subarray(fromAt, fromAt + length), at);
    }
    if (at + length > this.size) this.size = at + length;
  }

  /** Cuts the content, or grows it with zeros. */
  resize(size: number): void {
    if (size > this.size) {
      this.#own(size);
      this.bytes.fill(0, this.size, size);
    }
    this.size = size;
  }

  /** Makes the bytes ours alone, with room for `wanted`. */
  #own(wanted: number): void {
    if (!this.#shared && wanted <= this.bytes.length) return;
    const room = wanted <= this.bytes.length ? wanted : Math.max(wanted, this.size * 2, 256);
    const bytes = new Uint8Array(room);
    bytes.set(this.bytes.subarray(0, this.size));
    this.bytes = bytes;
    this.#shared = false;
  }
}

const NOTHING = new Uint8Array(0);
