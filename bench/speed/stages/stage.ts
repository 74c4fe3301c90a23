import type { Sizes } from "../sizes.ts";
import type { Figures } from "../work.ts";

/** Where a stage runs. */
export interface StageContext {
  readonly sizes: Sizes;
  /** An empty directory of its own. */
  readonly dir: string;
}

/** One stage of the way in, done by one variant. */
export interface OpenStage {
  /** Rows, or calls, of a pass. */
  readonly count: number;
  /** Passes after which they repeat: as many, or a multiple, are timed. Default 1. */
  readonly cycle?: number;
  /** Before the first pass of a size. */
  prepare?(size: number): Promise<void>;
  /** Before a pass, outside of the clock. */
  begin(): void | Promise<void>;
  /** Goes through all rows, so many at a time. */
  pass(size: number): void;
  /** Numbers over what it did: equal for every variant that has one of the name. */
  readonly checks: Figures;
  close(): Promise<void>;
}

/** A stage, by the variants that do it. */
export interface Stage {
  /** Opens it with a variant, and checks what it does. */
  open(variant: string, context: StageContext): Promise<OpenStage>;
  /** Why a variant cannot be had here; null when it can. */
  missing(variant: string): string | null;
}

/** Times passes until `ms` are over, after half as long to warm up, and returns nanoseconds a row. */
export async function nsPerRow(stage: OpenStage, size: number, ms: number): Promise<number> {
  await stage.prepare?.(size);
  await msOf(stage, size, ms / 2);
  const { total, passes } = await msOf(stage, size, ms);
  return (total * 1e6) / (passes * stage.count);
}

async function msOf(
  stage: OpenStage,
  size: number,
  ms: number,
): Promise<{ total: number; passes: number }> {
  let [total, passes] = [0, 0];
  const { cycle = 1 } = stage;
  for (; total < ms || passes === 0 || passes % cycle > 0; passes += 1) {
    await stage.begin();
    const start = performance.now();
    stage.pass(size);
    total += performance.now() - start;
  }
  return { total, passes };
}
