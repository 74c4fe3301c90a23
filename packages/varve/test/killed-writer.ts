import { asyncWal } from "@varve/wal/async";
import { syncWal } from "@varve/wal/sync";
import { open, recommended } from "varve";
import { labelsOf, SERIES, valueOf } from "./killed-rows.ts";

/** Writes rows in their order until it is killed, and tells from time to time how many are durable. */
const [dir, log, start] = process.argv.slice(2);
const wal = { sync: syncWal(), async: asyncWal(), batched: recommended().wal }[log!]!;
const store = await open({ dir: dir!, plan: { ...recommended(), wal } });
for (let row = 0; ; row += 1) {
  const series = row % SERIES;
  store.write(labelsOf(series), Number(start) + Math.floor(row / SERIES) * 1000, valueOf(row));
  if (row % 97 !== 0) continue;
  await store.flush();
  process.send!(row + 1);
  // Rows that nobody has flushed are on their way as well when the end comes.
  if (row % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
}
