import type { Case } from "../case.ts";
import { chunkDamageCases } from "./chunk-damage.ts";
import { chunkPromiseCases } from "./chunk-promises.ts";
import { chunkRowsCases } from "./chunk-rows.ts";

/** What a chunk codec promises. */
export const chunkCases: readonly Case<"chunk">[] = [
  ...chunkPromiseCases,
  ...chunkRowsCases,
  ...chunkDamageCases,
];
