import { compareBytes, fromScalar } from "@varve/bytes";
import { NO_SERIES, type SeriesRef, type Variant } from "@varve/contracts";

/** A sorted array, searched by halves: no hash, no tree, and keys in order for whoever wants them. */
export function sortedIndex(): Variant<"series-index"> {
  return {
    slot: "series-index",
    name: "sorted",
    traits: { persistent: false },
    open({ seriesMax }) {
      const entries: { readonly key: Uint8Array; readonly ref: SeriesRef }[] = [];

      /** Where the first key lies that is not below the one given. */
      const place = (key: Uint8Array): number => {
        let [from, until] = [0, entries.length];
        while (from < until) {
          const middle = (from + until) >>> 1;
          const other = entries[middle]!.key;
          if (compareBytes(other, 0, other.length, key, 0, key.length) < 0) from = middle + 1;
          else until = middle;
        }
        return from;
      };
      const isAt = (at: number, key: Uint8Array): boolean => {
        const other = entries[at]?.key;
        return (
          other !== undefined && compareBytes(other, 0, other.length, key, 0, key.length) === 0
        );
      };

      return fromScalar(
        {
          get(key) {
            const at = place(key);
            return isAt(at, key) ? entries[at]!.ref : NO_SERIES;
          },
          set(key, _hashLow, _hashHigh, ref) {
            entries.splice(place(key), 0, { key, ref });
          },
          delete(key) {
            entries.splice(place(key), 1);
          },
        },
        { seriesMax },
      );
    },
  };
}
