import type { Variant } from "@varve/contracts";
import { RefCodec } from "./internal/ref-codec.ts";

/**
 * A series once, then its samples by ref: the records of Prometheus' own log.
 *
 * A batch becomes one series record, if it holds new series, and one samples record; a second one begins only
 * where a time lies more than 2^53 ms from the first. Reads what `inline` wrote as well, so that a
 * store may change its plan.
 */
export function refRecord(): Variant<"record"> {
  return {
    slot: "record",
    name: "ref",
    traits: { prometheusReadable: true },
    open: () => new RefCodec(),
  };
}
