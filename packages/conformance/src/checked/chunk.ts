import { ACCEPTED, assert, LATE, type ChunkCodec, type ChunkState } from "@varve/contracts";

interface Appender {
  count: number;
  time: number;
}

/** Asserts strictly increasing times, aligned state, lengths within the capacity, and counts. */
export function checkedChunk(codec: ChunkCodec): ChunkCodec {
  /** By the buffer of the state, then by the position in it. */
  const appenders = new WeakMap<object, Map<number, Appender>>();
  const appendersOf = (state: ChunkState): Map<number, Appender> => {
    let known = appenders.get(state.words.buffer);
    if (known === undefined) appenders.set(state.words.buffer, (known = new Map()));
    return known;
  };
  const placeOf = (state: ChunkState, stateAt: number): number => state.words.byteOffset + stateAt;
  return {
    encoding: codec.encoding,
    stateBytes: codec.stateBytes,
    capacityMin: codec.capacityMin,
    open(state, stateAt, bytes, at): void {
      checkState(codec, state, stateAt);
      codec.open(state, stateAt, bytes, at);
      assert(codec.count(state, stateAt) === 0, "a chunk that was opened is empty");
      appendersOf(state).set(placeOf(state, stateAt), { count: 0, time: -Infinity });
    },
    append(state, stateAt, bytes, at, capacity, time, valueLow, valueHigh): boolean {
      checkState(codec, state, stateAt);
      assert(Number.isSafeInteger(time), `a time is a safe integer, got ${time}`);
      assert(at + capacity <= bytes.length, `${capacity} bytes lie inside the array`);
      const before = codec.count(state, stateAt);
      const lengthBefore = codec.length(state, stateAt);
      const appender = appendersOf(state).get(placeOf(state, stateAt));
      if (appender !== undefined && appender.count === before) {
        assert(time > appender.time, `times increase: ${time} follows ${appender.time}`);
      }
      const isKept = codec.append(state, stateAt, bytes, at, capacity, time, valueLow, valueHigh);
      const count = codec.count(state, stateAt);
      const length = codec.length(state, stateAt);
      assert(count === before + (isKept ? 1 : 0), `count follows: ${before}, then ${count}`);
      if (isKept) assert(length <= capacity, `${length} bytes lie within ${capacity}`);
      else assert(length === lengthBefore, "a refused sample leaves the length as it is");
      if (isKept) appendersOf(state).set(placeOf(state, stateAt), { count, time });
      return isKept;
    },
    ...(codec.appendRows !== undefined && {
      appendRows(batch, from, until, chunks): number {
        const row = codec.appendRows!(batch, from, until, chunks);
        assert(row >= from && row <= until, `rows ${from} … ${until} end inside, got ${row}`);
        if (row < until) {
          const status = batch.status[row];
          assert(
            status === ACCEPTED || status === LATE,
            `it stops at a row that is taken, not ${status}`,
          );
        }
        return row;
      },
    }),
    count: (state, stateAt) => codec.count(state, stateAt),
    length: (state, stateAt) => codec.length(state, stateAt),
    seal(state, stateAt, bytes, at): number {
      const count = codec.count(state, stateAt);
      const length = codec.seal(state, stateAt, bytes, at);
      assert(length === codec.length(state, stateAt), "seal returns the length of the chunk");
      const stored = codec.storedCount(bytes, at, length);
      assert(stored === count, `a sealed chunk states its ${count} samples, got ${stored}`);
      return length;
    },
    decode(bytes, at, length, count, into): void {
      assert(at >= 0 && at + length <= bytes.length, `${length} bytes lie inside the array`);
      const before = into.length;
      codec.decode(bytes, at, length, count, into);
      assert(
        into.length === before + count,
        `${count} samples are decoded, got ${into.length - before}`,
      );
    },
    storedCount: (bytes, at, length) => codec.storedCount(bytes, at, length),
  };
}

function checkState(codec: ChunkCodec, state: ChunkState, stateAt: number): void {
  assert(stateAt % 8 === 0, `state lies at a multiple of 8, got ${stateAt}`);
  assert(
    state.words.buffer === state.doubles.buffer,
    "words and doubles are views of the same bytes",
  );
  const end = stateAt + codec.stateBytes;
  assert(end <= state.words.length * 4, `state of ${codec.stateBytes} bytes lies inside its array`);
}
