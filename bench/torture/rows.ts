import { plantedRow } from "./planted/row.ts";
import type { Row } from "./row.ts";
import { SIM_WAL_ROWS } from "./rows/sim-wal.ts";

/** All rows, in the order in which they are run. */
export const ROWS: readonly Row[] = [...SIM_WAL_ROWS, plantedRow(() => SIM_WAL_ROWS)];
