import type { Case } from "../case.ts";
import { walAcknowledgesCases } from "./wal-acknowledges.ts";
import { walCheckpointCases } from "./wal-checkpoint.ts";
import { walCrashCases } from "./wal-crash.ts";
import { walDamageCases } from "./wal-damage.ts";
import { walFaultCases } from "./wal-faults.ts";
import { walPromiseCases } from "./wal-promises.ts";

/** What a write-ahead log promises. */
export const walCases: readonly Case<"wal">[] = [
  ...walPromiseCases,
  ...walAcknowledgesCases,
  ...walFaultCases,
  ...walCrashCases,
  ...walCheckpointCases,
  ...walDamageCases,
];
