import { VARINT_BYTES_MAX, writeU32, writeU64, writeVarint } from "@varve/bytes";
import {
  ACCEPTED,
  type RecordBuffer,
  type RecordCodec,
  type RecordVisitor,
  type SeriesRef,
  type Variant,
  type WriteBatch,
} from "@varve/contracts";
import { RecordDecoder } from "./internal/decode.ts";
import { INLINE_RECORD, WORD_BYTES } from "./internal/types.ts";
import { labelsBytesMax, writeLabels } from "./internal/write-labels.ts";
import { writeSeries } from "./internal/write-series.ts";

/** Type, ref, time and value. */
const ROW_BYTES_MAX = 1 + WORD_BYTES + VARINT_BYTES_MAX + WORD_BYTES;

/**
 * A record for each row, with all of its labels, new or not: the seed's way.
 *
 * A row without a key is written with no labels: its series stands in an earlier record. Prometheus skips these
 * records. Reads what `ref` wrote as well, so that a store may change its plan.
 */
export function inlineRecord(): Variant<"record"> {
  return {
    slot: "record",
    name: "inline",
    traits: { prometheusReadable: false },
    open: () => new InlineRecord(),
  };
}

class InlineRecord implements RecordCodec {
  readonly #decoder = new RecordDecoder();

  encode(batch: WriteBatch, from: number, until: number, into: RecordBuffer): void {
    const { keyAt, keys, refs, times, valueWords, status } = batch;
    for (let row = from; row < until; row += 1) {
      if (status[row] !== ACCEPTED) continue;
      const keyFrom = keyAt[row]!;
      const keyUntil = keyAt[row + 1]!;
      into.reserve(ROW_BYTES_MAX + labelsBytesMax(keyUntil - keyFrom));
      const { bytes } = into;
      let at = into.length;
      bytes[at] = INLINE_RECORD;
      writeU64(bytes, at + 1, refs[row]!);
      at = writeLabels(bytes, at + 1 + WORD_BYTES, keys, keyFrom, keyUntil);
      at = writeVarint(bytes, at, times[row]!);
      writeU32(bytes, at, valueWords[2 * row + 1]!);
      writeU32(bytes, at + 4, valueWords[2 * row]!);
      into.length = at + WORD_BYTES;
      into.endRecord();
    }
  }

  encodeSeries(
    ref: SeriesRef,
    key: Uint8Array,
    keyFrom: number,
    keyUntil: number,
    into: RecordBuffer,
  ): void {
    writeSeries(ref, key, keyFrom, keyUntil, into);
  }

  decode(bytes: Uint8Array, from: number, until: number, visitor: RecordVisitor): boolean {
    return this.#decoder.decode(bytes, from, until, visitor);
  }
}
