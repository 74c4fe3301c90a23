import type { Case } from "../case.ts";
import { blockAdmitCases } from "./block-manager-admit.ts";
import { blockCrashCases } from "./block-manager-crash.ts";
import { blockMaintainCases } from "./block-manager-maintain.ts";
import { blockModelCases } from "./block-manager-model.ts";
import { blockPinCases } from "./block-manager-pin.ts";

/** What a block manager promises. */
export const blockManagerCases: readonly Case<"block-manager">[] = [
  ...blockAdmitCases,
  ...blockPinCases,
  ...blockMaintainCases,
  ...blockModelCases,
  ...blockCrashCases,
];
