import { keyOf } from "@varve/bytes";
import type { SeriesKeys } from "@varve/contracts";

/** Keys of series that are named by their refs: `{__name__="series",ref="1"}`, and so on without end. */
export function numberedKeys(): SeriesKeys {
  const keys: Uint8Array[] = [];
  const key = (ref: number): Uint8Array =>
    (keys[ref] ??= keyOf({ __name__: "series", ref: String(ref) }));
  return {
    nextRef: 2 ** 32 - 1,
    keyBytes: (ref) => key(ref).length,
    copyKey(ref, into, at) {
      into.set(key(ref), at);
      return key(ref).length;
    },
  };
}
