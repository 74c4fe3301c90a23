import {
  NO_OFFSET,
  StorageError,
  type Memory,
  type Offset,
  type StorageErrorCode,
  type StorageErrorFacts,
} from "@varve/contracts";
import { lostError } from "./errors.ts";

/** Words of a ring's control block, all used with Atomics. */
export const HEAD = 0;
export const TAIL = 1;
/** Counts what should wake the writer; it sleeps on this word. */
export const WAKE = 2;
/** How the writer sleeps: see AWAKE, DOZING, IDLE. */
export const SLEEP = 3;
/** Low word of the batch that somebody wants durable. */
export const WANTED = 4;
/** What the writer should do once the ring is empty; it stores 0 when that is done. */
export const COMMAND = 5;
export const STATE = 6;
/** Low words of the marks. */
export const WRITTEN = 7;
export const DURABLE = 8;
/** Nonzero: somebody waits for a message. */
export const NOTIFY = 9;
/** Counts the writer's progress; blocked callers sleep on this word. */
export const SIGNAL = 10;
/** Counts the writer's steps, so that a slow one can be told from a lost one. */
export const BEAT = 11;
const WORDS = 16;

export const AWAKE = 0;
/** Wakes up by itself to write what it has. */
export const DOZING = 1;
/** Has nothing to do. */
export const IDLE = 2;

export const NO_COMMAND = 0;
export const START = 1;
export const ROLL = 2;
export const CLOSE = 3;

export const RUNNING = 0;
/** The disk is full: what is in the ring stays there, and the writer tries again. */
export const FULL = 1;
export const FAILED = 2;
export const ENDED = 3;

/** Doubles of the control block: what a start hands over, and the writer's figures. */
export const SEGMENT = 0;
export const START_LSN = 1;
export const CHAIN = 2;
export const POSITION = 3;
export const SEALED_BYTES = 4;
export const WRITES = 5;
export const SYNCS = 6;
export const FRAMED_BYTES = 7;
export const BYTES_ON_DISK = 8;
const DOUBLES = 16;

const TEXT_BYTES = 2048;
const CONTROL_BYTES = 4 * WORDS + 8 * DOUBLES + 4 + TEXT_BYTES;

/** An entry: bytes of all of it, records, bytes of the records, unused; then where each record ends; then the records. */
const ENTRY_WORDS = 4;
/** In place of an entry's size: the rest of the ring is unused. */
const SKIP = -1;
/** Above this many bytes a native copy is cheaper than a loop over words. */
const LOOP_BYTES_MAX = 512;

/** Where a ring lies in the linear memory: what a worker is told. */
export interface RingPlace {
  readonly control: Offset;
  readonly ring: Offset;
  /** A power of two. */
  readonly ringBytes: number;
}

/** Takes a ring from the memory. Throws LIMIT when there is no room. */
export function takeRing(memory: Memory, ringBytes: number): RingPlace {
  const control = memory.take(CONTROL_BYTES);
  const ring = control === NO_OFFSET ? NO_OFFSET : memory.take(ringBytes);
  if (ring === NO_OFFSET) {
    if (control !== NO_OFFSET) memory.give(control, CONTROL_BYTES);
    throw new StorageError(
      "LIMIT",
      `the memory has no room for a ring of ${ringBytes} bytes; raise memoryBytesMax or lower ringBytesMax`,
      { facts: { limit: "ringBytesMax", value: ringBytes } },
    );
  }
  return { control, ring, ringBytes };
}

export function giveRing(memory: Memory, place: RingPlace): void {
  memory.give(place.control, CONTROL_BYTES);
  memory.give(place.ring, place.ringBytes);
}

/** A failure as it crosses from one end to the other. */
interface Told {
  readonly code: StorageErrorCode;
  readonly message: string;
  /** The message of its cause; empty for none. */
  readonly why: string;
  readonly facts: StorageErrorFacts;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Views of a ring in shared memory, the same for both its ends. */
export class Ring {
  readonly control: Int32Array;
  readonly doubles: Float64Array;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly ends: Uint32Array;
  readonly size: number;
  readonly #text: Uint8Array;

  constructor(buffer: ArrayBufferLike, place: RingPlace) {
    const { control, ring, ringBytes } = place;
    this.control = new Int32Array(buffer, control, WORDS);
    this.doubles = new Float64Array(buffer, control + 4 * WORDS, DOUBLES);
    this.#text = new Uint8Array(buffer, control + 4 * WORDS + 8 * DOUBLES, 4 + TEXT_BYTES);
    this.bytes = new Uint8Array(buffer, ring, ringBytes);
    this.words = new Int32Array(buffer, ring, ringBytes / 4);
    this.ends = new Uint32Array(buffer, ring, ringBytes / 4);
    this.size = ringBytes;
  }

  /** Leaves word of a failure for the other end. What is not the world's fault ends the writer all the same. */
  tell(error: unknown): void {
    const failure =
      error instanceof StorageError ? error : lostError("the log's writer failed", error);
    const { code, message, facts } = failure;
    const why = failure.cause === undefined ? "" : textOf(failure.cause);
    const encoder = new TextEncoder();
    let text = encoder.encode(JSON.stringify({ code, message, why, facts }));
    if (text.length > TEXT_BYTES) {
      const short = { code, message: message.slice(0, 300), why: why.slice(0, 300), facts: {} };
      text = encoder.encode(JSON.stringify(short)).subarray(0, TEXT_BYTES);
    }
    this.#text.set(text, 4);
    this.#text[0] = text.length >>> 8;
    this.#text[1] = text.length;
  }

  /** The failure that the other end told. */
  told(): StorageError {
    const length = (this.#text[0]! << 8) | this.#text[1]!;
    const text = new TextDecoder().decode(this.#text.slice(4, 4 + length));
    const { code, message, why, facts } = JSON.parse(text) as Told;
    return new StorageError(
      code,
      message,
      why === "" ? { facts } : { facts, cause: new Error(why) },
    );
  }
}

/** The callers' end of a ring. */
export class RingProducer {
  readonly #ring: Ring;
  readonly #mask: number;
  #head = 0;
  #tail = 0;
  /** The source that was copied from last, as words. */
  #source: Uint8Array | null = null;
  #sourceWords: Int32Array = new Int32Array(0);

  constructor(ring: Ring) {
    this.#ring = ring;
    this.#mask = ring.size - 1;
  }

  /** Bytes of the ring that a batch takes. */
  static entryBytes(records: number, bytes: number): number {
    return (4 * ENTRY_WORDS + 4 * records + bytes + 7) & ~7;
  }

  /** Bytes in the ring, as far as is known without asking. */
  get used(): number {
    return (this.#head - this.#tail) >>> 0;
  }

  /** Asks how far the other end has come. */
  refresh(): void {
    this.#tail = Atomics.load(this.#ring.control, TAIL);
  }

  /** Puts a batch into the ring. False if there is no room now; at most half a ring is ever needed. */
  push(bytes: Uint8Array, ends: Uint32Array, records: number): boolean {
    const { words, control, size } = this.#ring;
    const length = ends[records - 1]!;
    const entry = RingProducer.entryBytes(records, length);
    let at = this.#head & this.#mask;
    const rest = size - at;
    const needed = rest < entry ? rest + entry : entry;
    if (size - this.used < needed) {
      this.refresh();
      if (size - this.used < needed) return false;
    }
    if (rest < entry) {
      words[at >> 2] = SKIP;
      at = 0;
    }
    let word = at >> 2;
    words[word] = entry;
    words[word + 1] = records;
    words[word + 2] = length;
    word += ENTRY_WORDS;
    for (let i = 0; i < records; i += 1) words[word + i] = ends[i]!;
    this.#copy(bytes, length, word + records);
    this.#head = (this.#head + needed) | 0;
    Atomics.store(control, HEAD, this.#head);
    return true;
  }

  #copy(bytes: Uint8Array, length: number, word: number): void {
    const ring = this.#ring;
    const at = word * 4;
    if (length > LOOP_BYTES_MAX) {
      ring.bytes.set(bytes.subarray(0, length), at);
      return;
    }
    if (bytes !== this.#source) {
      this.#source = bytes;
      this.#sourceWords = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    }
    const from = this.#sourceWords;
    const to = ring.words;
    const whole = length >> 2;
    for (let i = 0; i < whole; i += 1) to[word + i] = from[i]!;
    for (let i = whole * 4; i < length; i += 1) ring.bytes[at + i] = bytes[i]!;
  }
}

/** The writer's end of a ring: steps over its entries in order. */
export class RingConsumer {
  /** The entry's records end at `base` + ends[endsFrom …]. */
  base = 0;
  endsFrom = 0;
  records = 0;
  length = 0;
  readonly #ring: Ring;
  readonly #mask: number;
  #tail = 0;
  #entry = 0;

  constructor(ring: Ring) {
    this.#ring = ring;
    this.#mask = ring.size - 1;
  }

  get isEmpty(): boolean {
    return Atomics.load(this.#ring.control, HEAD) === this.#tail;
  }

  /** Looks at the oldest entry. False if there is none. */
  peek(): boolean {
    if (this.isEmpty) return false;
    const { words, size } = this.#ring;
    let at = this.#tail & this.#mask;
    if (words[at >> 2] === SKIP) {
      this.#tail = (this.#tail + size - at) | 0;
      at = 0;
    }
    const word = at >> 2;
    this.#entry = words[word]!;
    this.records = words[word + 1]!;
    this.length = words[word + 2]!;
    this.endsFrom = word + ENTRY_WORDS;
    this.base = (this.endsFrom + this.records) * 4;
    return true;
  }

  /** Gives the entry's room back. */
  take(): void {
    this.#tail = (this.#tail + this.#entry) | 0;
    Atomics.store(this.#ring.control, TAIL, this.#tail);
  }
}
