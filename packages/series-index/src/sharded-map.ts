/** Entries that one V8 Map holds at most: at 2^24 `set` throws a RangeError. */
export const MAP_ENTRIES_MAX = 2 ** 24 - 1;

/**
 * A Map without V8's bound: when a Map is full another is begun, and all are asked.
 * Below 16.7 M entries it is one Map and one call more.
 */
export class ShardedMap<K, V> {
  readonly #entriesMax: number;
  readonly #shards: Map<K, V>[] = [new Map<K, V>()];

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    let size = 0;
    for (const shard of this.#shards) size += shard.size;
    return size;
  }

  get shards(): number {
    return this.#shards.length;
  }

  get(key: K): V | undefined {
    const shards = this.#shards;
    for (let i = 0; i < shards.length; i += 1) {
      const value = shards[i]!.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** Adds or replaces. A key stays in the Map it is in; a new one goes to the first that has room. */
  set(key: K, value: V): void {
    let room: Map<K, V> | undefined;
    for (const shard of this.#shards) {
      if (this.#shards.length > 1 && shard.has(key)) {
        shard.set(key, value);
        return;
      }
      if (room === undefined && shard.size < this.#entriesMax) room = shard;
    }
    if (room === undefined) {
      if (this.#shards.length === 1 && this.#shards[0]!.has(key)) room = this.#shards[0]!;
      else this.#shards.push((room = new Map<K, V>()));
    }
    room.set(key, value);
  }

  delete(key: K): void {
    for (const shard of this.#shards) if (shard.delete(key)) return;
  }

  clear(): void {
    this.#shards.length = 1;
    this.#shards[0]!.clear();
  }
}
