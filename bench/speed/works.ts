import type { Work, WorkName } from "./work.ts";
import { growth } from "./works/growth.ts";
import { limits } from "./works/limits.ts";
import { memory } from "./works/memory.ts";
import { newToUpdate } from "./works/new-to-update.ts";
import { replay } from "./works/replay.ts";
import { stages } from "./works/stages.ts";
import { sustained } from "./works/sustained.ts";
import { tails } from "./works/tails.ts";
import { updates } from "./works/updates.ts";

/** Every kind of work by its name. */
export const WORKS: Readonly<Record<WorkName, Work>> = {
  updates,
  "new-to-update": newToUpdate,
  tails,
  sustained,
  memory,
  replay,
  stages,
  growth,
  limits,
};
