import { crc32c, makeRecordBuffer } from "@varve/bytes";
import { ACCEPTED } from "@varve/contracts";
import { CATALOG } from "@varve/lab";
import { missingIn } from "./hash.ts";
import { eachRange, makeRows } from "./rows.ts";
import type { Stage } from "./stage.ts";

/** Writing log records of samples. */
export const encode = encodeStage(0);
/** Writing those of new series, which carry their labels. */
export const encodeNew = encodeStage(1);

function encodeStage(isNew: 0 | 1): Stage {
  return {
    missing: (variant) => missingIn("record", variant),
    open: async (variant, { sizes }) => {
      const rows = await makeRows(sizes);
      const { memory, batches, count } = rows;
      const codec = await CATALOG.record[variant]!.make().open({ memory });
      const into = makeRecordBuffer({ memory });
      for (const batch of batches) {
        batch.status.fill(ACCEPTED);
        batch.isNew.fill(isNew);
      }
      const pass = (size: number): void => {
        eachRange(rows, size, (batch, from, until) => {
          into.clear();
          codec.encode(batch, from, until, into);
        });
      };
      let sum = 0;
      for (const size of [1, 64, 1000]) {
        eachRange(rows, size, (batch, from, until) => {
          into.clear();
          codec.encode(batch, from, until, into);
          sum = crc32c(into.bytes, 0, into.length, sum);
        });
      }
      const checks = { "check-records": sum };
      return { count, begin: () => undefined, pass, checks, close: () => Promise.resolve() };
    },
  };
}
