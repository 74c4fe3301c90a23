/** The lab: names every variant, runs cells that swap one part at a time, and says what it bought. */
export { CATALOG } from "./catalog.ts";
export type { Catalog, CatalogEntry, VariantOptions } from "./catalog.ts";
export { PRESETS, planOf, slotOf, variantOf } from "./plan-of.ts";
export type { PlanSpec, PresetName, VariantSpec } from "./plan-spec.ts";
export { runCell } from "./cell/run-cell.ts";
export { runCells } from "./cell/run-cells.ts";
export type { CellEvent, RunCellsOptions } from "./cell/run-cells.ts";
export { fullSpec, WORKLOAD_KINDS } from "./cell/spec.ts";
export type * from "./cell/spec.ts";
export type * from "./cell/result.ts";
export { spreadOf } from "./stats/spread.ts";
export type { Spread } from "./stats/spread.ts";
export { verdict } from "./stats/verdict.ts";
export type { Verdict } from "./stats/verdict.ts";
