import type { Sizes } from "./sizes.ts";

/** What is measured, in the order in which it runs and is told. */
export const WORK_NAMES = [
  "updates",
  "new-to-update",
  "tails",
  "sustained",
  "memory",
  "replay",
  "stages",
  "growth",
  "limits",
] as const;
export type WorkName = (typeof WORK_NAMES)[number];

/** Numbers that a turn came to, by name. */
export type Figures = Readonly<Record<string, number>>;

/** What one turn does. Each has a process of its own; those of a work follow one another, and begin again with each repeat. */
export interface Task {
  readonly id: string;
  /** Done once, before the turns: it makes what they share, and has no figures of its own. */
  readonly isPreparation?: boolean;
  /** Taken this often, however many repeats are asked for. */
  readonly turns?: number;
  /** Runs in the parent: it has a process of another program to look after. */
  readonly isHere?: boolean;
}

/** Where a turn runs, and how much it does. */
export interface TurnContext {
  readonly sizes: Sizes;
  /** An empty directory of its own. */
  readonly dir: string;
  /** A directory of all turns of a work. */
  readonly sharedDir: string;
  /** Aborted when the run ends early. Only tasks in the parent have to look. */
  readonly signal: AbortSignal;
}

export type Unit = "rows/s" | "ns" | "µs" | "ms" | "s" | "B" | "MiB" | "MB/s" | "x" | "";

/** A figure has to be on one side of a limit. */
export interface Target {
  readonly op: ">=" | "<=" | "<";
  readonly limit: number;
  /** Also met when the ratio is not above this: where a figure is held against a noise floor. */
  readonly orRatio?: number;
}

/** A row of the report: which figure of which task, and what it is held against. */
export interface RowSpec {
  readonly what: string;
  readonly unit: Unit;
  readonly task: string;
  readonly figure: string;
  /** Figures of parts of one turn, where that has to do for a spread. */
  readonly parts?: readonly string[];
  readonly against?: Against;
  /** What targets speak of. Default: the value. */
  readonly judged?: "value" | "ratio";
  readonly must?: Target;
  readonly aim?: Target;
  readonly note?: string;
}

/** Another figure, and how both make a ratio. */
export interface Against {
  readonly task: string;
  readonly figure: string;
  /** `speedup`: that of the other, divided by ours, which are times. `factor`: ours divided by that of the other. */
  readonly ratio: "speedup" | "factor";
  readonly name: string;
}

/** One kind of work. */
export interface Work {
  readonly about: string;
  readonly durability: string;
  tasks(sizes: Sizes): readonly Task[];
  rows(sizes: Sizes): readonly RowSpec[];
  /** Why a task cannot be done here; null when it can. */
  missing?(task: string): string | null;
  /** Does a task, and checks what was done outside of the clock. Throws when it was not done. */
  measure(task: string, context: TurnContext): Promise<Figures>;
}
