import type { PlantedBug } from "./bug.ts";
import { WAL_BUGS } from "./wal-bugs.ts";

/** All mistakes that are planted. */
export const BUGS: readonly PlantedBug[] = [...WAL_BUGS];
