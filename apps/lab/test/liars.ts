import {
  ACCEPTED,
  REPEATED,
  type Postings,
  type RecordCodec,
  type SeriesIndex,
  type Slot,
  type Slots,
  type WriteBatch,
} from "@varve/contracts";
import { CATALOG, type Catalog, type CatalogEntry } from "../src/catalog.ts";

/** One row in this many is lied about. */
const LIE_EVERY = 50;

/** The catalog with a variant in each of four slots that looks fast because it does not do its work. */
export const LYING_CATALOG: Catalog = {
  ...CATALOG,
  record: {
    ...CATALOG.record,
    /** Never logs some rows. */
    dropping: liar("record", "ref", (codec: RecordCodec) => {
      const encode = codec.encode.bind(codec);
      codec.encode = (batch, from, until, into) => {
        const hidden = lieRows(batch, from, until);
        for (const row of hidden) batch.status[row] = REPEATED;
        encode(batch, from, until, into);
        for (const row of hidden) batch.status[row] = ACCEPTED;
      };
    }),
    /** Logs some values with their lowest bit flipped. */
    "bit-flipping": liar("record", "ref", (codec: RecordCodec) => {
      const encode = codec.encode.bind(codec);
      codec.encode = (batch, from, until, into) => {
        const changed = lieRows(batch, from, until);
        for (const row of changed) batch.valueWords[2 * row]! ^= 1;
        encode(batch, from, until, into);
        for (const row of changed) batch.valueWords[2 * row]! ^= 1;
      };
    }),
  },
  postings: {
    ...CATALOG.postings,
    /** Misses a series in every answer, as one does that compares short hashes of labels. */
    missing: liar("postings", "lazy", (postings: Postings) => {
      const select = postings.select.bind(postings);
      postings.select = (matchers) => select(matchers).slice(1);
    }),
  },
  "series-index": {
    ...CATALOG["series-index"],
    /** Takes some keys for the first one, as an index does that trusts a short hash. */
    merging: liar("series-index", "map", (index: SeriesIndex) => {
      const find = index.find.bind(index);
      index.find = (batch, from, until) => {
        find(batch, from, until);
        for (let row = from; row < until; row += 1) {
          const isNew = batch.refs[row] === 0;
          if (isNew && index.size > 1 && index.nextRef % LIE_EVERY === 0) batch.refs[row] = 1;
        }
      };
    }),
  },
};

/** Rows of the range to lie about, by their value and time: the same rows each time. */
function lieRows(batch: WriteBatch, from: number, until: number): number[] {
  const rows: number[] = [];
  for (let row = from; row < until; row += 1) {
    if (batch.status[row] === ACCEPTED && batch.refs[row]! % LIE_EVERY === 7) rows.push(row);
  }
  return rows;
}

/** A variant whose opened part is `corrupt`ed. */
function liar<S extends Slot>(
  slot: S,
  base: string,
  corrupt: (part: Slots[S]["part"]) => void,
): CatalogEntry<S> {
  const entry = CATALOG[slot][base] as unknown as CatalogEntry<S>;
  return {
    ...entry,
    make: () => {
      const honest = entry.make();
      return {
        ...honest,
        async open(needs: Slots[S]["needs"]): Promise<Slots[S]["part"]> {
          const part = await honest.open(needs);
          corrupt(part);
          return part;
        },
      };
    },
  };
}
