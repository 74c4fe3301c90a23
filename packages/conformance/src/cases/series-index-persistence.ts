import { cases } from "../case.ts";
import { holds, same, sameList } from "../expect.ts";
import { keyOfNumber } from "../rows.ts";
import { adopt, find, insert, none, openFresh, refsOf } from "./index-steps.ts";

const KEYS = Array.from({ length: 50 }, (_, n) => keyOfNumber(n));

export const indexPersistenceCases = cases("series-index", {
  "keeps-entries-between-openings": {
    title:
      "has its committed entries when it is reopened: none is rebuilt, and none that the log tells again is dropped",
    applies: ({ traits }) => traits.persistent,
    async run(trial) {
      const first = await openFresh(trial);
      insert(trial, first, KEYS);
      await first.commit(7);
      await trial.close(first);
      const again = await trial.open();
      adopt(trial, again, KEYS, refsOf(50));
      const settlement = again.settle(51);
      same(settlement.rebuilt, false, "rebuilt");
      same(settlement.dropped, 0, "entries dropped");
      sameList(find(trial, again, KEYS), refsOf(50), "refs found");
      same(again.nextRef, 51, "nextRef");
      same(again.size, 50, "size");
    },
  },
  "drops-entries-that-the-log-never-issued": {
    title: "drops entries at settle that the log never told, and so shows that it had kept them",
    applies: ({ traits }) => traits.persistent,
    async run(trial) {
      const first = await openFresh(trial);
      insert(trial, first, KEYS);
      await first.commit(7);
      await trial.close(first);
      const again = await trial.open();
      adopt(trial, again, KEYS.slice(0, 30), refsOf(30));
      same(again.settle(31).dropped, 20, "entries dropped");
      sameList(find(trial, again, KEYS.slice(30)), none(20), "refs of entries dropped");
      sameList(find(trial, again, KEYS.slice(0, 30)), refsOf(30), "refs found");
      same(again.nextRef, 31, "nextRef");
    },
  },
  "ignores-another-stores-entries": {
    title: "does not serve entries of another store, and says why it rebuilt",
    applies: ({ traits }) => traits.persistent,
    async run(trial) {
      const first = await openFresh(trial);
      insert(trial, first, KEYS);
      await first.commit(7);
      await trial.close(first);
      const again = await trial.open({ storeId: "ffffffffffffffffffffffffffffffff" });
      adopt(trial, again, KEYS.slice(0, 2), [9, 8]);
      const settlement = again.settle(10);
      same(settlement.rebuilt, true, "rebuilt");
      holds(settlement.reason !== "", "a rebuild has a reason");
      sameList(find(trial, again, KEYS.slice(0, 3)), [9, 8, 0], "refs found");
    },
  },
  "keeps-nothing-between-openings": {
    title: "is empty after it is reopened, and touches no file",
    applies: ({ traits }) => !traits.persistent,
    async run(trial) {
      const { disk, dir } = trial.needs;
      const first = await openFresh(trial);
      insert(trial, first, KEYS);
      await first.commit(7);
      await trial.close(first);
      same(disk.kind(dir), "none", "its directory");
      const again = await trial.open();
      const settlement = again.settle(51);
      same(settlement.rebuilt, false, "rebuilt");
      same(settlement.dropped, 0, "entries dropped");
      sameList(find(trial, again, KEYS), none(50), "refs found");
      sameList(insert(trial, again, KEYS.slice(0, 1)), [51], "ref of the next new series");
    },
  },
});
