import { spreadOf, verdict, type Verdict } from "@varve/lab";
import type { Outcome } from "./run.ts";
import type { Sizes } from "./sizes.ts";
import type { Figures, RowSpec, Target, Unit, WorkName } from "./work.ts";
import { WORKS } from "./works.ts";

/** A limit, and whether a figure is on its right side; null without a figure. */
export interface Judged extends Target {
  readonly of: "value" | "ratio";
  readonly isMet: boolean | null;
}

/** One figure. Those that were not measured are null: `failed`, `skipped`, or interrupted before the first. */
export interface SpeedRow {
  readonly work: WorkName;
  readonly what: string;
  readonly status: "ok" | "failed" | "skipped" | "interrupted";
  readonly reason: string | null;
  /** Median of all turns. */
  readonly value: number | null;
  readonly unit: Unit;
  /** What it is held against, and its median. */
  readonly against: string | null;
  readonly other: number | null;
  /** How many times ours is faster than the other, or what multiple of the other it is: as the work says. */
  readonly ratio: number | null;
  /** 95 % bootstrap interval of the ratio. */
  readonly interval: Verdict["interval"] | null;
  /** The relative spread of the turns: with a ratio, the larger one of both sides. */
  readonly spread: number | null;
  readonly must: Judged | null;
  readonly aim: Judged | null;
  readonly durability: string;
  readonly note: string;
  /** Every turn's. */
  readonly values: readonly number[];
  readonly others: readonly number[];
}

/** Sums a run up. */
export function rowsOf(outcomes: readonly Outcome[], sizes: Sizes): SpeedRow[] {
  return [...new Set(outcomes.map(({ work }) => work))].flatMap((work) => {
    const own = outcomes.filter((outcome) => outcome.work === work);
    return WORKS[work].rows(sizes).map((spec) => rowOf(work, spec, own));
  });
}

function rowOf(work: WorkName, spec: RowSpec, outcomes: readonly Outcome[]): SpeedRow {
  const { what, unit, figure, against, judged = "value" } = spec;
  const { about, durability } = WORKS[work];
  const find = (id: string): Outcome => outcomes.find(({ task }) => task.id === id)!;
  const own = find(spec.task);
  const other = against === undefined ? null : find(against.task);
  const preparation = outcomes.find(({ task }) => task.isPreparation === true);
  const sides = [preparation, own, other].filter((each) => each !== null && each !== undefined);
  const difference = other === null ? null : differenceOf(own, other);
  const failure = sides.find((side) => side.failure !== null)?.failure ?? difference;
  const skipped = sides.find((side) => side.skipped !== null)?.skipped ?? null;
  const isGiven = failure === null && skipped === null;
  const values = isGiven ? numbersOf(own, figure) : [];
  const others = isGiven && other !== null ? numbersOf(other, against!.figure) : [];
  const numbers = figuresOf(spec, values, others, own.turns);
  const isWhole = sides.every(({ turns, wanted }) => turns.length >= wanted);
  const whole = isWhole ? "ok" : "interrupted";
  const judge = (target: Target | undefined): Judged | null =>
    target === undefined ? null : judgedOf(target, judged, numbers);
  return {
    work,
    what,
    status: failure !== null ? "failed" : skipped !== null ? "skipped" : whole,
    reason: failure ?? skipped,
    unit,
    against: against?.name ?? null,
    ...numbers,
    must: judge(spec.must),
    aim: judge(spec.aim),
    durability,
    note: spec.note ?? about,
    values,
    others,
  };
}

function numbersOf({ turns }: Outcome, figure: string): number[] {
  return turns.map((figures) => figures[figure]).filter((value) => value !== undefined);
}

/** Why two sides that have to come to the same did not. */
function differenceOf(own: Outcome, other: Outcome): string | null {
  const [mine] = own.turns;
  if (mine === undefined) return null;
  for (const turn of [...own.turns, ...other.turns]) {
    for (const name of Object.keys(turn).filter((each) => each.startsWith("check-"))) {
      if (!(name in mine) || turn[name] === mine[name]) continue;
      return `${own.task.id} and ${other.task.id} differ in ${name}: ${mine[name]} and ${turn[name]}`;
    }
  }
  return null;
}

type Numbers = Pick<SpeedRow, "value" | "other" | "ratio" | "interval" | "spread">;

function figuresOf(
  { against, parts }: RowSpec,
  values: readonly number[],
  others: readonly number[],
  turns: readonly Figures[],
): Numbers {
  const none = { other: null, ratio: null, interval: null };
  if (values.length === 0) return { value: null, spread: null, ...none };
  const { median, relative } = spreadOf(values);
  if (against === undefined || others.length === 0) {
    const within = (parts ?? [])
      .map((name) => turns[0]?.[name])
      .filter((each) => each !== undefined);
    return {
      value: median,
      spread: within.length > 0 ? spreadOf(within).relative : relative,
      ...none,
    };
  }
  const rates = (ms: readonly number[]): number[] => ms.map((each) => 1 / each);
  const { ratio, interval, spread } =
    against.ratio === "factor" ? verdict(others, values) : verdict(rates(others), rates(values));
  return { value: median, other: spreadOf(others).median, ratio, interval, spread };
}

function judgedOf(target: Target, of: "value" | "ratio", { value, ratio }: Numbers): Judged {
  const figure = of === "ratio" ? ratio : value;
  if (figure === null) return { ...target, of, isMet: null };
  const { op, limit, orRatio } = target;
  const isMet = op === ">=" ? figure >= limit : op === "<=" ? figure <= limit : figure < limit;
  const isFloor = orRatio !== undefined && ratio !== null && ratio <= orRatio;
  return { ...target, of, isMet: isMet || isFloor };
}
