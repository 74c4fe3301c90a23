import type { PlantedBug } from "./bug.ts";
import { BLOCKS_BUGS } from "./blocks-bugs.ts";
import { DAMAGE_BUGS } from "./damage-bugs.ts";
import { DISK_BUGS } from "./disk-bugs.ts";
import { ENGINE_BUGS } from "./engine-bugs.ts";
import { FUZZ_BUGS } from "./fuzz-bugs.ts";
import { IO_BUGS } from "./io-bugs.ts";
import { WAL_BUGS } from "./wal-bugs.ts";

/** All mistakes that are planted. */
export const BUGS: readonly PlantedBug[] = [
  ...WAL_BUGS,
  ...BLOCKS_BUGS,
  ...ENGINE_BUGS,
  ...DAMAGE_BUGS,
  ...IO_BUGS,
  ...FUZZ_BUGS,
  ...DISK_BUGS,
];
