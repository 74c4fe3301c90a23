import { crc32c, makeBatch, reserveMemory } from "@varve/bytes";
import { type Labels, LABEL_LIMITS } from "@varve/contracts";
import { CATALOG } from "@varve/lab";
import { devopsSeries } from "@varve/workload";
import { missingIn } from "./hash.ts";
import type { Stage } from "./stage.ts";

/** Rows of a batch, which is emptied when it is full. */
const BATCH_ROWS = 1000;

/** Encoding label objects to keys, one by one. There is no kernel: JavaScript strings are not in the memory. */
export const key: Stage = {
  missing: (variant) => missingIn("label-key", variant),
  open: async (variant, { sizes }) => {
    const labels: Labels[] = [...devopsSeries({ seed: sizes.seed, series: sizes.stageSeries })];
    const encoder = await CATALOG["label-key"][variant]!.make().open({ limits: LABEL_LIMITS });
    const batch = makeBatch(reserveMemory(), BATCH_ROWS);
    const pass = (): void => {
      for (const each of labels) {
        if (batch.length === BATCH_ROWS) batch.clear();
        encoder.encode(each, batch, batch.length);
        batch.addKeyed(0, 0);
      }
    };
    pass();
    const { keys, keyAt, length } = batch;
    const checks = { "check-keys": crc32c(keys, 0, keyAt[length]!) };
    const [count, begin] = [labels.length, (): void => batch.clear()];
    return { count, begin, pass, checks, close: () => Promise.resolve() };
  },
};
