import { plantedRow } from "./planted/row.ts";
import type { Row } from "./row.ts";
import { CLOCK_ROWS } from "./rows/sim/clock-jumps.ts";
import { DAMAGE_ROWS } from "./rows/damage/rows.ts";
import { EXIT_WAYS_ROWS } from "./rows/process/exit-ways.ts";
import { FULL_DISK_ROWS } from "./rows/real-disk/full-disk.ts";
import { FUZZ_ROWS } from "./rows/fuzz/rows.ts";
import { HOSTILE_FLOOD_ROWS } from "./rows/hostile/flood.ts";
import { HOSTILE_LABELS_ROWS } from "./rows/hostile/labels.ts";
import { EVERY_POINT_ROWS } from "./rows/sim/every-point.ts";
import { EVERY_SUBSET_ROWS } from "./rows/sim/every-subset.ts";
import { IO_ERROR_ROWS } from "./rows/io-error/rows.ts";
import { KILL_ROWS } from "./rows/process/kill.ts";
import { OPENERS_ROWS } from "./rows/process/openers.ts";
import { POWER_CUT_ROWS } from "./rows/real-disk/power-cut.ts";
import { SIM_BLOCKS_ROWS } from "./rows/sim/sim-blocks.ts";
import { SIM_ENGINE_ROWS } from "./rows/sim/sim-engine.ts";
import { SIM_WAL_ROWS } from "./rows/sim/sim-wal.ts";
import { SYNC_FAILURE_ROWS } from "./rows/real-disk/sync-failure.ts";
import { WORKER_DEATH_ROWS } from "./rows/process/worker-death.ts";
import { TORN_ROWS } from "./rows/sim/torn-writes.ts";

const FAULT_ROWS: readonly Row[] = [
  ...SIM_WAL_ROWS,
  ...SIM_BLOCKS_ROWS,
  ...SIM_ENGINE_ROWS,
  ...EXIT_WAYS_ROWS,
  ...WORKER_DEATH_ROWS,
  ...EVERY_POINT_ROWS,
  ...EVERY_SUBSET_ROWS,
  ...TORN_ROWS,
  ...CLOCK_ROWS,
  ...IO_ERROR_ROWS,
  ...KILL_ROWS,
  ...OPENERS_ROWS,
  ...POWER_CUT_ROWS,
  ...FULL_DISK_ROWS,
  ...SYNC_FAILURE_ROWS,
  ...DAMAGE_ROWS,
  ...HOSTILE_FLOOD_ROWS,
  ...HOSTILE_LABELS_ROWS,
  ...FUZZ_ROWS,
];

/** All rows, in the order in which they are run. */
export const ROWS: readonly Row[] = [...FAULT_ROWS, plantedRow(() => FAULT_ROWS)];
