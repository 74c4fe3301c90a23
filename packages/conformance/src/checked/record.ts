import {
  ACCEPTED,
  assert,
  NO_SERIES,
  type RecordBuffer,
  type RecordCodec,
  type RecordVisitor,
} from "@varve/contracts";
import { checkRange } from "./range.ts";

/** Asserts whole records, rows that are fit to log, and columns that are as long as they say. */
export function checkedRecord(codec: RecordCodec): RecordCodec {
  return {
    encode(batch, from, until, into): void {
      checkRange(batch, from, until);
      for (let row = from; row < until; row += 1) {
        if (batch.status[row] !== ACCEPTED) continue;
        assert(batch.refs[row] !== NO_SERIES, `accepted row ${row} has a ref`);
        assert(Number.isSafeInteger(batch.times[row]), `time of row ${row} is a safe integer`);
        const keyBytes = batch.keyAt[row + 1]! - batch.keyAt[row]!;
        assert(
          batch.isNew[row] !== 1 || keyBytes > 0,
          `row ${row} of a new series carries its key`,
        );
      }
      checkWhole(into, () => codec.encode(batch, from, until, into));
    },
    encodeSeries(ref, key, keyFrom, keyUntil, into): void {
      assert(ref !== NO_SERIES, "a series to log has a ref");
      assert(
        keyFrom < keyUntil && keyUntil <= key.length,
        `a key has bytes, got ${keyFrom} to ${keyUntil}`,
      );
      checkWhole(into, () => codec.encodeSeries(ref, key, keyFrom, keyUntil, into));
    },
    decode(bytes, from, until, visitor): boolean {
      assert(from < until && until <= bytes.length, `a record has bytes, got ${from} to ${until}`);
      return codec.decode(bytes, from, until, checkedVisitor(visitor));
    },
  };
}

function checkWhole(into: RecordBuffer, encode: () => void): void {
  const before = { count: into.count, length: into.length };
  const bytes = into.bytes.slice(0, into.length);
  encode();
  assert(into.count >= before.count, `records are added, from ${before.count} to ${into.count}`);
  const end = into.count === 0 ? 0 : into.ends[into.count - 1]!;
  assert(end === into.length, `the last record ends with the buffer: ${end} of ${into.length}`);
  let start = before.length;
  for (let i = before.count; i < into.count; i += 1) {
    assert(into.ends[i]! > start, `record ${i} has bytes`);
    assert(into.bytes[start] !== 0, `record ${i} has a type`);
    start = into.ends[i]!;
  }
  for (let i = 0; i < bytes.length; i += 1) {
    if (into.bytes[i] !== bytes[i]) assert(false, `byte ${i} of earlier records stays as it is`);
  }
}

function checkedVisitor(visitor: RecordVisitor): RecordVisitor {
  return {
    series(ref, bytes, from, until): void {
      assert(from <= until && until <= bytes.length, `the key of series ${ref} lies in its bytes`);
      visitor.series(ref, bytes, from, until);
    },
    samples(refs, times, values, count): void {
      const length = Math.min(refs.length, times.length, values.length);
      assert(count <= length, `columns hold the ${count} samples told, got ${length}`);
      visitor.samples(refs, times, values, count);
    },
  };
}
