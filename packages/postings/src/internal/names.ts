import { KEY_SEPARATOR } from "@varve/contracts";

/** Pairs that a name makes room for at first. */
const PAIRS_MIN = 4;
/** Rough size of a name's objects. */
const NAME_OVERHEAD_BYTES = 240;

/** A label's name, and its pairs: one for each value. */
export interface Name {
  readonly id: number;
  readonly hash: number;
  readonly text: string;
  /** The name, and the 0xFF behind it. */
  readonly bytes: Uint8Array;
  /** Pairs, those at `gapFrom … gapUntil-1` excepted, which a sweep has moved or let go of. */
  pairs: Uint32Array;
  /** Places in use, the gap's included. */
  count: number;
  gapFrom: number;
  gapUntil: number;
  /** The first of them, the gap left out, stand in the order of their values' bytes. */
  sortedCount: number;
}

/** The names of labels, by id and by their bytes. They are few: each is an object. */
export class Names {
  readonly #byId: (Name | undefined)[] = [];
  readonly #freeIds: number[] = [];
  readonly #byHash = new Map<number, Name[]>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** One more than the highest id there ever was. */
  get idEnd(): number {
    return this.#byId.length;
  }

  get(id: number): Name | undefined {
    return this.#byId[id];
  }

  /** The name bytes[from … until), without its separator. */
  find(hash: number, bytes: Uint8Array, from: number, until: number): Name | undefined {
    const candidates = this.#byHash.get(hash);
    if (candidates === undefined) return undefined;
    for (const name of candidates) if (isName(name.bytes, bytes, from, until)) return name;
    return undefined;
  }

  add(hash: number, bytes: Uint8Array, from: number, until: number): Name {
    const id = this.#freeIds.pop() ?? this.#byId.length;
    const copy = new Uint8Array(until - from + 1);
    copy.set(bytes.subarray(from, until));
    copy[until - from] = KEY_SEPARATOR;
    const name: Name = {
      id,
      hash,
      text: Buffer.from(copy.buffer, 0, until - from).toString("utf8"),
      bytes: copy,
      pairs: new Uint32Array(PAIRS_MIN),
      count: 0,
      gapFrom: 0,
      gapUntil: 0,
      sortedCount: 0,
    };
    this.#byId[id] = name;
    const others = this.#byHash.get(hash);
    if (others === undefined) this.#byHash.set(hash, [name]);
    else others.push(name);
    this.#bytes += bytesOf(name);
    return name;
  }

  addPair(name: Name, pair: number): void {
    if (name.count === name.pairs.length) this.#resize(name, name.count * 2);
    name.pairs[name.count] = pair;
    name.count += 1;
  }

  /** Closes a name's gap, and gives back room that it no longer needs. */
  trim(name: Name): void {
    closeGap(name);
    if (name.count * 4 < name.pairs.length && name.pairs.length > PAIRS_MIN) {
      this.#resize(name, Math.max(PAIRS_MIN, name.count * 2));
    }
  }

  remove(name: Name): void {
    this.#byId[name.id] = undefined;
    this.#freeIds.push(name.id);
    this.#bytes -= bytesOf(name);
    const others = this.#byHash.get(name.hash)!;
    if (others.length === 1) this.#byHash.delete(name.hash);
    else others.splice(others.indexOf(name), 1);
  }

  #resize(name: Name, room: number): void {
    const pairs = new Uint32Array(room);
    pairs.set(name.pairs.subarray(0, name.count));
    this.#bytes += pairs.byteLength - name.pairs.byteLength;
    name.pairs = pairs;
  }
}

/** Moves the pairs behind a name's gap down, so that its pairs are pairs[0 … count). */
export function closeGap(name: Name): void {
  const { gapFrom, gapUntil } = name;
  if (gapFrom === gapUntil) return;
  name.pairs.copyWithin(gapFrom, gapUntil, name.count);
  name.count -= gapUntil - gapFrom;
  name.gapUntil = gapFrom;
}

/** Whether a name's bytes, which end with a separator, are bytes[from … until). */
export function isName(name: Uint8Array, bytes: Uint8Array, from: number, until: number): boolean {
  if (name.length !== until - from + 1) return false;
  for (let i = from; i < until; i += 1) if (bytes[i] !== name[i - from]) return false;
  return true;
}

function bytesOf(name: Name): number {
  return NAME_OVERHEAD_BYTES + name.bytes.length * 3 + name.pairs.byteLength;
}
