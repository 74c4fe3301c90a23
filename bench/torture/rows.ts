import { plantedRow } from "./planted/row.ts";
import type { Row } from "./row.ts";
import { KILL_ROWS } from "./rows/kill.ts";
import { SIM_BLOCKS_ROWS } from "./rows/sim-blocks.ts";
import { SIM_ENGINE_ROWS } from "./rows/sim-engine.ts";
import { SIM_WAL_ROWS } from "./rows/sim-wal.ts";

const FAULT_ROWS: readonly Row[] = [
  ...SIM_WAL_ROWS,
  ...SIM_BLOCKS_ROWS,
  ...SIM_ENGINE_ROWS,
  ...KILL_ROWS,
];

/** All rows, in the order in which they are run. */
export const ROWS: readonly Row[] = [...FAULT_ROWS, plantedRow(() => FAULT_ROWS)];
