import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Row, TrialContext } from "../../row.ts";
import { endLives, LOG_NAMES, Victim, type VictimOrder } from "./victim.ts";

const LIVES_PER_TRIAL = 8;
const DELAY_MS_MAX = 150;

const ABOUT =
  "killed at a random instant again and again, in recovery, too, on a real file system; what was written has to be there";

/** Processes that die by SIGKILL while they write, one row for each log and one for the engine. */
export const KILL_ROWS: readonly Row[] = [
  ...LOG_NAMES.map((log) =>
    rowOf(`kill-wal-${log}`, `${log} log: its process is ${ABOUT}`, (context) =>
      trial(context, { what: "log", log }),
    ),
  ),
  rowOf("kill-engine", `whole engine, each log in turn: its process is ${ABOUT}`, (context) =>
    trial(context, { what: "engine", log: context.random.pick(LOG_NAMES) }),
  ),
];

function rowOf(id: string, title: string, run: Row["trial"]): Row {
  return {
    id,
    title,
    kind: "kill",
    unit: "kills",
    count: { pr: 8, full: 1000 },
    trialMs: 60_000,
    trial: run,
  };
}

async function trial(
  context: TrialContext,
  store: Pick<VictimOrder, "what" | "log">,
): Promise<number> {
  const dir = mkdtempSync(join(context.dir, "kill-"));
  try {
    return await endLives({
      ...store,
      dir,
      random: context.random,
      lives: LIVES_PER_TRIAL,
      kept: "written",
      delayMsMax: DELAY_MS_MAX,
      start: () => new Victim(store.what, join(context.dir, "cache")),
      async end(victim) {
        await victim.kill();
        return victim.lines.length;
      },
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
