import type { Case } from "../case.ts";
import { indexCollisionCases } from "./series-index-collisions.ts";
import { indexModelCases } from "./series-index-model.ts";
import { indexPersistenceCases } from "./series-index-persistence.ts";
import { indexPromiseCases } from "./series-index-promises.ts";

/** What a series index promises. */
export const seriesIndexCases: readonly Case<"series-index">[] = [
  ...indexPromiseCases,
  ...indexCollisionCases,
  ...indexPersistenceCases,
  ...indexModelCases,
];
