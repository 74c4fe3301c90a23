import type { Random } from "@varve/bytes";
import { Content } from "../content.ts";

/** The unit that a device writes whole or not at all, in bytes. */
export const SECTOR_BYTES = 512;

/** A pending operation's words: when it was made, where it goes, how long it is, where its bytes lie. */
const NUMBER = 0;
const POSITION = 1;
const LENGTH = 2;
const DATA = 3;
const WORDS = 4;
/** Fates of a pending operation; the others are whole and torn. */
const LOST = 0;
const GROWN = 2;
/** In `LENGTH`: the operation truncates the file to `POSITION`. */
const TRUNCATE = -1;

/**
 * A file as a device with a write cache sees it: what readers see, what would survive, and the writes
 * between the two in their order.
 */
export class SimFile {
  readonly cache: Content;
  readonly durable: Content;
  /** Names and descriptors that refer to it. */
  references = 0;
  /** The operation that last made it, or changed its size. */
  changedAt = 0;
  /** The operation that was its last failed sync; 0 when none failed. */
  failedAt = 0;
  #pending: number[] = [];
  readonly #data = new Content();

  constructor(cache: Content = new Content(), durable: Content = new Content()) {
    this.cache = cache;
    this.durable = durable;
  }

  /** Whether a crash could lose anything that this file holds. */
  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** When the pending operations were made. */
  pendingNumbers(): number[] {
    return this.#pending.filter((_, i) => i % WORDS === NUMBER);
  }

  write(number: number, bytes: Uint8Array, from: number, length: number, position: number): void {
    const at = this.#data.size;
    if (position + length > this.cache.size) this.changedAt = number;
    this.#data.write(bytes, from, length, at);
    this.cache.write(bytes, from, length, position);
    this.#pending.push(number, position, length, at);
  }

  truncate(number: number, size: number): void {
    this.changedAt = number;
    this.cache.resize(size);
    this.#pending.push(number, size, TRUNCATE, 0);
  }

  /** A sync that succeeded: what was pending up to the operation given is durable, and only that. */
  persist(until: number): void {
    const kept = this.#split(until);
    for (let i = 0; i < kept; i += WORDS) this.#apply(this.durable, i);
    this.#forget(kept);
  }

  /** A sync that failed: the pages are clean now and readers still see them, but the device never got them. */
  dropPending(until: number): void {
    this.#forget(this.#split(until));
  }

  /** Content after a crash on an ordered device: what was pending up to `until`, the last write torn. */
  survivePrefix(until: number, random: Random): Content {
    const content = this.durable.copy();
    const kept = this.#split(until);
    for (let i = 0; i < kept; i += WORDS) {
      const torn = this.#pending[i + NUMBER] === until && this.#pending[i + LENGTH] !== TRUNCATE;
      if (!torn) {
        this.#apply(content, i);
        continue;
      }
      const position = this.#pending[i + POSITION]!;
      const length = this.#pending[i + LENGTH]!;
      const sectors =
        Math.ceil((position + length) / SECTOR_BYTES) - Math.floor(position / SECTOR_BYTES);
      const end = (Math.floor(position / SECTOR_BYTES) + random.below(sectors + 1)) * SECTOR_BYTES;
      const count = Math.min(length, Math.max(0, end - position));
      content.write(this.#data.bytes, this.#pending[i + DATA]!, count, position);
    }
    return content;
  }

  /** Content after a crash that left these of the pending operations, whole, and lost the others. */
  surviveOnly(survives: (number: number) => boolean): Content {
    const content = this.durable.copy();
    for (let i = 0; i < this.#pending.length; i += WORDS) {
      if (survives(this.#pending[i + NUMBER]!)) this.#apply(content, i);
    }
    return content;
  }

  /**
   * The same where the size of a file grows only with its bytes, and a file that was never synced may have none: its
   * blocks are allocated when they are written.
   */
  surviveAllocated(random: Random): Content {
    if (this.durable.size === 0 && random.chance(0.5)) return this.durable.copy();
    return this.surviveSubset(random, LOST);
  }

  /**
   * Content after a crash where each pending operation had a fate of its own: lost, whole, or torn, or else `other`: its size
   * alone reached the device, or nothing of it.
   */
  surviveSubset(random: Random, other = GROWN): Content {
    const content = this.durable.copy();
    for (let i = 0; i < this.#pending.length; i += WORDS) {
      const fate = random.below(4);
      if (fate === LOST || (fate === GROWN && other === LOST)) continue;
      if (fate === 1 || this.#pending[i + LENGTH] === TRUNCATE) this.#apply(content, i);
      else if (fate === GROWN) this.#grow(content, i);
      else this.#tear(content, i, random, other === LOST);
    }
    return content;
  }

  /** The size reached the device, the bytes did not: zeros where the file was shorter. */
  #grow(content: Content, i: number): void {
    const end = this.#pending[i + POSITION]! + this.#pending[i + LENGTH]!;
    if (end > content.size) content.resize(end);
  }

  /** Each sector is new, old or garbage. What comes beyond the file's end is new, or ends the write where it is `allocated`. */
  #tear(content: Content, i: number, random: Random, allocated: boolean): void {
    if (!allocated) this.#grow(content, i);
    const start = this.#pending[i + POSITION]!;
    const end = start + this.#pending[i + LENGTH]!;
    const data = this.#pending[i + DATA]!;
    for (let from = start; from < end;) {
      const until = Math.min(end, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES);
      const fate = random.below(3);
      if (until > content.size && fate !== 1) return;
      if (fate === 1) {
        content.write(this.#data.bytes, data + (from - start), until - from, from);
      } else if (fate === 2) {
        const garbage = new Uint8Array(until - from);
        for (let at = 0; at < garbage.length; at += 1) garbage[at] = random.below(256);
        content.write(garbage, 0, garbage.length, from);
      }
      from = until;
    }
  }

  #apply(content: Content, i: number): void {
    const length = this.#pending[i + LENGTH]!;
    const position = this.#pending[i + POSITION]!;
    if (length === TRUNCATE) content.resize(position);
    else content.write(this.#data.bytes, this.#pending[i + DATA]!, length, position);
  }

  /** Where the operations after `until` start. */
  #split(until: number): number {
    let i = this.#pending.length;
    while (i > 0 && this.#pending[i - WORDS + NUMBER]! > until) i -= WORDS;
    return i;
  }

  #forget(kept: number): void {
    if (kept < this.#pending.length) {
      this.#pending = this.#pending.slice(kept);
      return;
    }
    this.#pending.length = 0;
    this.#data.resize(0);
  }
}
