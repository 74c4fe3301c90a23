import { makeRandom } from "@varve/bytes";
import type { Row, TrialContext } from "../../row.ts";
import { SIM_BLOCKS_ROWS } from "./sim-blocks.ts";
import { SIM_ENGINE_ROWS } from "./sim-engine.ts";
import { SIM_WAL_ROWS } from "./sim-wal.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** By how much the clock jumps, as often as not, when it is read. */
const JUMPS_MS = [0, 0, 0, -DAY_MS, 365 * DAY_MS, -1, Number.NaN, Number.NEGATIVE_INFINITY];
const STARTED_MS = Date.UTC(2026, 0, 1);

/** The order of batches comes from their numbers, and never from a clock: nothing changes when it jumps. */
export const CLOCK_ROWS: readonly Row[] = [
  {
    id: "clock-jumps",
    title:
      "logs, blocks and the whole engine on a simulated disk, crash after crash, while the clock jumps by a day, by a year and to no time at all",
    kind: "simulatedCrash",
    unit: "crashes",
    count: { pr: 100, full: 10_000 },
    trialMs: 60_000,
    trial,
  },
];

async function trial(context: TrialContext): Promise<number> {
  const rows = [...SIM_WAL_ROWS, ...SIM_BLOCKS_ROWS, ...SIM_ENGINE_ROWS];
  const random = makeRandom(context.seed);
  const now = Date.now;
  let timeMs = STARTED_MS;
  Date.now = () => {
    const jumpMs = random.pick(JUMPS_MS);
    if (!Number.isFinite(jumpMs)) return jumpMs;
    timeMs += jumpMs + 1;
    return timeMs;
  };
  try {
    return await rows[context.seed % rows.length]!.trial(context);
  } finally {
    Date.now = now;
  }
}
