import { Broken, type Row, type TrialContext } from "../row.ts";
import { PROCESS_ENDED, runRow } from "../run-row.ts";
import { BUGS } from "./bugs.ts";

const HOOK = new URL("./hook.ts", import.meta.url).href;
/** Far more trials than any of them has needed. */
const CRASHES_MAX = 20_000;
const WAIT_MS_MAX = 240_000;

/** The rows, held against mistakes: each is planted in turn, and the row that has to notice it is run until it does. */
export function plantedRow(rows: () => readonly Row[]): Row {
  return {
    id: "planted-bugs",
    title: "mistakes planted in the sources, one at a time: each is noticed by its row",
    kind: "plantedBug",
    unit: "bugs",
    count: { pr: 4, full: BUGS.length },
    trials: { pr: 4, full: BUGS.length },
    trialMs: WAIT_MS_MAX * 1.2,
    trial: (context) => trial(context, rows()),
  };
}

async function trial({ tier, seed }: TrialContext, rows: readonly Row[]): Promise<number> {
  const bug = BUGS[(seed - 1) % BUGS.length]!;
  const row = rows.find(({ id }) => id === bug.row)!;
  const result = await runRow(
    { ...row, count: { pr: CRASHES_MAX, full: CRASHES_MAX } },
    {
      tier,
      seed: 1,
      shares: 1,
      signal: AbortSignal.timeout(WAIT_MS_MAX),
      foundMax: 1,
      execArgv: ["--conditions=@varve/source"],
      // By the environment, so that it reaches processes and workers that are started with flags of their own.
      env: { ...process.env, PLANTED_BUG: bug.id, NODE_OPTIONS: `--import=${HOOK}` },
      onProgress: () => undefined,
    },
  );
  if (result.skipped !== null) {
    process.stderr.write(`  ${bug.id}: SKIPPED: ${result.skipped}\n`);
    return 0;
  }
  const [found] = result.found;
  if (found === undefined) {
    throw new Broken("wrong", `${bug.id}: ${bug.row} did not notice that ${bug.title}`);
  }
  if (found.includes(PROCESS_ENDED)) {
    throw new Broken("wrong", `${bug.id}: it was not noticed, it does not run: ${found}`);
  }
  return 1;
}
