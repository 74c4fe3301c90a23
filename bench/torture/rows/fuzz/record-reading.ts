/** What a record says: a series as `ref key`, a sample as `ref time bits`, in hex. */
export interface RecordReading {
  readonly events: readonly string[];
  /** `unknown` for types that a codec skips, `malformed` when it has to refuse, behind the events that come before. */
  readonly end: "whole" | "unknown" | "malformed";
}

const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const REF_MAX = 2n ** 32n - 1n;
const text = new TextDecoder("utf-8", { fatal: true });

export function seriesEvent(ref: bigint | number, key: Uint8Array): string {
  return `series ${ref} ${Buffer.from(key).toString("hex")}`;
}

export function sampleEvent(ref: bigint | number, time: bigint | number, bits: bigint): string {
  return `sample ${ref} ${time} ${bits.toString(16)}`;
}

/** Reads a record as `docs/format/wal.md` says, slowly, and with nothing of the decoder that it is compared with. */
export function readRecord(bytes: Uint8Array): RecordReading {
  const events: string[] = [];
  const fields = new Fields(bytes);
  const type = fields.bytes(1)[0];
  try {
    if (type === 1) {
      while (!fields.isAtEnd) {
        const ref = fields.ref();
        const { key, count } = fields.labels();
        if (count === 0) throw MALFORMED;
        events.push(seriesEvent(ref, key));
      }
    } else if (type === 2) {
      if (!fields.isAtEnd) events.push(...readSamples(fields));
    } else if (type === 131) {
      const ref = fields.ref();
      const { key, count } = fields.labels();
      const sample = sampleEvent(ref, safe(fields.varint()), fields.fixed());
      if (!fields.isAtEnd) throw MALFORMED;
      if (count > 0) events.push(seriesEvent(ref, key));
      events.push(sample);
    } else {
      return { events, end: "unknown" };
    }
  } catch (error) {
    if (error !== MALFORMED) throw error;
    return { events, end: "malformed" };
  }
  return { events, end: "whole" };
}

const MALFORMED = new Error("the record is malformed");

function readSamples(fields: Fields): string[] {
  const events: string[] = [];
  const firstRef = fields.ref();
  const firstTime = safe(BigInt.asIntN(64, fields.fixed()));
  while (!fields.isAtEnd) {
    const ref = firstRef + safe(fields.varint());
    const time = safe(firstTime + safe(fields.varint()));
    const bits = fields.fixed();
    if (ref < 1n || ref > REF_MAX) throw MALFORMED;
    events.push(sampleEvent(ref, time, bits));
  }
  return events;
}

function safe(value: bigint): bigint {
  if (value > SAFE_MAX || value < -SAFE_MAX) throw MALFORMED;
  return value;
}

class Fields {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  bytes(count: number): Uint8Array {
    const found = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return found;
  }

  fixed(): bigint {
    const found = this.bytes(8);
    if (found.length < 8) throw MALFORMED;
    return found.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  ref(): bigint {
    const ref = this.fixed();
    if (ref < 1n || ref > REF_MAX) throw MALFORMED;
    return ref;
  }

  uvarint(): bigint {
    let value = 0n;
    for (let i = 0n; i < 10n && !this.isAtEnd; i += 1n) {
      const byte = BigInt(this.bytes(1)[0]!);
      value |= (byte & 127n) << (7n * i);
      if (byte < 128n) return value;
    }
    throw MALFORMED;
  }

  varint(): bigint {
    const code = this.uvarint();
    return code % 2n === 0n ? code / 2n : -(code + 1n) / 2n;
  }

  /** Labels as a canonical key: names ascend, and no string is empty or other than UTF-8. */
  labels(): { readonly key: Uint8Array; readonly count: number } {
    const count = safe(this.uvarint());
    const parts: Uint8Array[] = [];
    for (let i = 0n; i < 2n * count; i += 1n) {
      const length = safe(this.uvarint());
      const part = this.bytes(Number(length));
      if (length === 0n || BigInt(part.length) < length || !isUtf8(part)) throw MALFORMED;
      parts.push(part, SEPARATOR);
      const isName = i % 2n === 0n;
      if (isName && i > 0n && Buffer.compare(parts.at(-6)!, part) >= 0) throw MALFORMED;
    }
    return { key: Buffer.concat(parts), count: Number(count) };
  }
}

const SEPARATOR = Uint8Array.of(0xff);

function isUtf8(bytes: Uint8Array): boolean {
  try {
    text.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
