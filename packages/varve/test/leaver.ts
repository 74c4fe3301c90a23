import { asyncWal } from "@varve/wal/async";
import { syncWal } from "@varve/wal/sync";
import { open, recommended } from "varve";

/** Writes rows, and leaves the process in one of several ways without closing the store. */
const [dir, log, way, rows] = process.argv.slice(2);
const wal = { sync: syncWal(), async: asyncWal(), batched: recommended().wal }[log!]!;
const store = await open({ dir: dir!, plan: { ...recommended(), wal } });
for (let time = 0; time < Number(rows); time += 1) store.write({ __name__: "m" }, time, time);
process.disconnect();
if (way === "exit") process.exit(3);
if (way === "throw") throw new Error("as planned");
if (way === "SIGTERM" || way === "SIGINT") {
  store.installShutdownHooks();
  process.kill(process.pid, way);
  setInterval(() => undefined, 1000); // A handler of signals keeps no process alive.
}
if (way === "closing") {
  void store.close();
  process.exit(4);
}
if (way === "reject") void Promise.reject(new Error("as planned"));
