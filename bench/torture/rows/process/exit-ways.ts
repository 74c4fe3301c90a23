import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Broken, type Row, type TrialContext } from "../../row.ts";
import { openNumberedEngine } from "../content/numbered-engine.ts";
import { openNumberedLog } from "../content/numbered-log.ts";
import { LOG_NAMES, type LogName, Victim } from "./victim.ts";

/** How a process ends, by itself or by others. */
export type ExitWay =
  | "exit"
  | "throw"
  | "reject"
  | "end"
  | "hooks"
  | "term"
  | "kill"
  | "heap"
  | "abort";

/** What the victim is told on its standard input, as one line of JSON. */
export interface ExitOrder {
  readonly log: LogName;
  readonly dir: string;
  readonly seed: number;
  readonly way: ExitWay;
}

/** How each way looks from outside, and whether exit hooks run: then all that was accepted is there, and else what was written. */
const WAYS: Readonly<Record<ExitWay, { readonly drains: boolean; readonly fates: string[] }>> = {
  exit: { drains: true, fates: ["3"] },
  throw: { drains: true, fates: ["1"] },
  reject: { drains: true, fates: ["1"] },
  end: { drains: true, fates: ["0"] },
  hooks: { drains: true, fates: ["143", "130"] },
  term: { drains: false, fates: ["SIGTERM"] },
  kill: { drains: false, fates: ["SIGKILL"] },
  heap: { drains: false, fates: ["SIGABRT", "134"] },
  abort: { drains: false, fates: ["SIGABRT", "134"] },
};
const NAMES = Object.keys(WAYS) as ExitWay[];

const PROGRAM = fileURLToPath(new URL("./exit-victim.ts", import.meta.url));
/** Little, so that a heap is soon full. */
const HEAP_MIB = 48;
const END_MS_MAX = 45_000;
const BATCHES_AFTER = 20;
const ROUNDS = { pr: 1, full: 20 };

/** Processes that end with batches pending, one row for each log: by itself, and in an engine. */
export const EXIT_WAYS_ROWS: readonly Row[] = LOG_NAMES.map((log) => ({
  id: `exit-ways-${log}`,
  title: `${log} log: its process ends with batches pending, in every way in which one can; what the log promises for it has to be there`,
  kind: "exit",
  unit: "exits",
  count: { pr: NAMES.length * ROUNDS.pr, full: NAMES.length * ROUNDS.full },
  trials: { pr: NAMES.length * ROUNDS.pr, full: NAMES.length * ROUNDS.full },
  trialMs: 120_000,
  trial: (context) => trial(context, log),
}));

async function trial({ seed, random, dir: outer }: TrialContext, log: LogName): Promise<number> {
  const way = NAMES[(seed - 1) % NAMES.length]!;
  const round = Math.floor((seed - 1) / NAMES.length);
  const what = (seed + round) % 2 === 0 ? "log" : "engine";
  const open = what === "log" ? openNumberedLog : openNumberedEngine;
  const dir = mkdtempSync(join(outer, "exit-"));
  try {
    const flags = way === "heap" ? [`--max-old-space-size=${HEAP_MIB}`] : [];
    const victim = new Victim(what, join(outer, "cache"), [], { path: PROGRAM, flags });
    victim.order({ log, dir, seed: random.word(), way } satisfies ExitOrder);
    await ended(victim, way);
    const { floor, ceiling } = heard(victim.lines, WAYS[way].drains);
    const store = await open(dir, log);
    const { last } = store;
    const about = `${what}, ${way}: batch`;
    if (last < floor)
      throw new Broken("lost", `${about} ${floor} has to be there, ${last} is last`);
    if (last > ceiling) throw new Broken("wrong", `${about} ${last} came back of ${ceiling}`);
    for (let batch = last + 1; batch <= last + BATCHES_AFTER; batch += 1) store.write(batch);
    await store.close();
    const again = await open(dir, log);
    await again.close();
    const all = last + BATCHES_AFTER;
    if (again.last !== all) throw new Broken("lost", `${about} ${all}, then ${again.last}`);
    return 1;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Waits for the end that was ordered, and for no other. */
async function ended(victim: Victim, way: ExitWay): Promise<void> {
  if (!(await victim.endsWithin(END_MS_MAX))) {
    throw new Broken("hang", `${way}: it did not end in ${END_MS_MAX} ms`);
  }
  const { fate } = victim;
  const isPlanned = WAYS[way].fates.includes(fate.split(":", 1)[0]!);
  if (isPlanned && victim.lines.includes("leaves") && !fate.includes("varve: ")) return;
  throw new Broken("wrong", `${way}: it ended otherwise, ${fate}`);
}

/** The last batch that has to be there, and the last that may be. */
function heard(lines: readonly string[], drains: boolean): { floor: number; ceiling: number } {
  let floor = 0;
  let ceiling = 0;
  for (const line of lines) {
    const [word, ...numbers] = line.split(" ");
    const [first = 0, second = 0] = numbers.map(Number);
    if (word === "offers") ceiling = first;
    if (word === "marks") floor = drains ? first : second;
  }
  return { floor, ceiling };
}
