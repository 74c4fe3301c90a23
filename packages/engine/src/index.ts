/** The engine: composes one variant for each slot into a store. Knows no variant by name. */
export { Engine } from "./engine.ts";
export type { EngineStats, Marks, Matchers, SeriesHandle } from "./engine.ts";
export type { Deletion } from "./deletion.ts";
export { open } from "./open.ts";
export type { EngineOptions } from "./options.ts";
export { checkPlan, planNames } from "./plan.ts";
export { PreparedLabels } from "./prepared.ts";
export type { RecoveryReport } from "./replay.ts";
export type { QueryOptions, SelectedSeries, Selection, TimeRange } from "./select.ts";
export type { ShutdownOptions } from "./shutdown.ts";
export { PHASES } from "./timing.ts";
export type { PhaseName, PhaseReport, TimingMode, TimingReport } from "./timing.ts";
export { UserBatch } from "./user-batch.ts";
export type { BatchResult } from "./writer.ts";
export { FORMAT_VERSION } from "./store-format.ts";
