import type { Variant } from "@varve/contracts";
import { loadIndexKernel } from "./index-kernel.ts";
import { OpenAddressedIndex } from "./open-addressed-index.ts";
import type { OpenAddressedOptions } from "./open-addressed.ts";

/**
 * The same index, with a kernel that finds and inserts whole ranges of rows.
 *
 * The kernel works on the tables and keys of `open-addressed` in the linear memory, where the directory lies too. Rows that
 * need more than a look at their first candidate, or room made for them, are done as there; so are all rows of a batch in another memory.
 */
export function openAddressedWasmIndex(
  options: OpenAddressedOptions = {},
): Variant<"series-index"> {
  const { prefault: touch = false, keyBytesExpected = 192 } = options;
  return {
    slot: "series-index",
    name: "open-addressed-wasm",
    traits: { persistent: false },
    async open(needs) {
      const index = new OpenAddressedIndex(needs, loadIndexKernel(needs.memory));
      if (touch) await index.prepare(needs.seriesExpected, keyBytesExpected);
      return index;
    },
  };
}
