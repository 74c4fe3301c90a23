import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Broken, type Row, type TrialContext } from "../../row.ts";
import { openNumberedLog } from "../content/numbered-log.ts";
import { Victim } from "./victim.ts";

const DEATHS = ["throw", "memory", "terminate", "busy"] as const;

/** What the victim is told on its standard input, as one line of JSON. */
export interface WorkerOrder {
  readonly dir: string;
  readonly seed: number;
  readonly death: (typeof DEATHS)[number] | "slow";
  /** The batch before which the worker is terminated. */
  readonly at: number;
  /** Whether the process exits as soon as it was told. */
  readonly exits: boolean;
  readonly onFull: "block" | "reject";
}

/** How long the victim's log waits for a silent worker, and how long any of its calls may take, in milliseconds. */
export const DRAIN_MS_MAX = 1000;
export const DEADLINE_MS = 8000;

const PROGRAM = fileURLToPath(new URL("./worker-victim.ts", import.meta.url));
const FAULT = new URL("./worker-fault.ts", import.meta.url).href;
/** Little, so that a worker's heap is soon full. */
const HEAP_MIB = 48;
const END_MS_MAX = 60_000;
const OPERATIONS_MAX = 25;
const BATCHES_MAX = 150;
const SLOW_MS = 2000;
const PAUSE_MS = 5000;

/** The async log whose worker dies, and the one whose worker only takes its time. */
export const WORKER_DEATH_ROWS: readonly Row[] = [
  {
    id: "worker-death",
    title:
      "async log: its worker throws, runs out of memory, is terminated or loops; the callers are told in time, and nothing durable is lost",
    kind: "exit",
    unit: "deaths",
    count: { pr: DEATHS.length, full: DEATHS.length * 20 },
    trials: { pr: DEATHS.length, full: DEATHS.length * 20 },
    trialMs: 120_000,
    trial: death,
  },
  {
    id: "worker-slow",
    title:
      "async log: a sync takes 2 s, and the process stands still for 5; nobody takes its worker for lost, and a full ring drops nothing",
    kind: "exit",
    unit: "disks",
    count: { pr: 1, full: 6 },
    trials: { pr: 1, full: 6 },
    trialMs: 120_000,
    trial: slow,
  },
];

async function death(context: TrialContext): Promise<number> {
  const { seed, random } = context;
  const order = {
    seed: random.word(),
    death: DEATHS[(seed - 1) % DEATHS.length]!,
    at: 1 + random.below(BATCHES_MAX),
    exits: random.chance(0.3),
    onFull: "block",
  } as const;
  const fault = `${order.death} ${1 + random.below(OPERATIONS_MAX)}`;
  return run(context, order, fault, async () => undefined);
}

async function slow(context: TrialContext): Promise<number> {
  const { seed, random, tier } = context;
  const onFull = seed % 2 === 0 ? "reject" : "block";
  const order = { seed: random.word(), death: "slow", at: 0, exits: false, onFull } as const;
  return run(context, order, `slow ${SLOW_MS}`, async (victim) => {
    if (tier !== "full") return;
    await victim.says("found");
    await setTimeout(random.below(2 * SLOW_MS));
    victim.signal("SIGSTOP");
    await setTimeout(PAUSE_MS);
    victim.signal("SIGCONT");
  });
}

/** One process, and then the log that it has left. */
async function run(
  { dir: outer }: TrialContext,
  order: Omit<WorkerOrder, "dir">,
  fault: string,
  meanwhile: (victim: Victim) => Promise<void>,
): Promise<number> {
  const dir = mkdtempSync(join(outer, "worker-"));
  const { NODE_OPTIONS = "" } = process.env;
  const env = { WORKER_FAULT: fault, NODE_OPTIONS: `${NODE_OPTIONS} --import=${FAULT}` };
  const flags = order.death === "memory" ? [`--max-old-space-size=${HEAP_MIB}`] : [];
  const victim = new Victim("log", join(outer, "cache"), [], { path: PROGRAM, flags, env });
  const about = `${fault}${order.exits ? ", then exit" : ""}`;
  try {
    const disturbed = meanwhile(victim);
    victim.order({ ...order, dir } satisfies WorkerOrder);
    const isTimely = await victim.endsWithin(END_MS_MAX);
    await disturbed;
    const { floor, ceiling, accepted } = heard(victim.lines, about);
    if (!isTimely) throw new Broken("hang", `${about}: it did not end in ${END_MS_MAX} ms`);
    checkEnd(victim, order.exits, accepted > floor, about);
    const store = await openNumberedLog(dir, "async");
    await store.close();
    checkFound(store.last, floor, ceiling, about);
    return 1;
  } finally {
    await victim.kill();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What has to be there in the end, and what may be; with what was found in between held against both. */
function heard(
  lines: readonly string[],
  about: string,
): { floor: number; ceiling: number; accepted: number } {
  let floor = 0;
  let ceiling = 0;
  let accepted = 0;
  for (const line of lines) {
    const [word, ...rest] = line.split(" ");
    const [first = 0, second = 0] = rest.map(Number);
    if (word === "offers") ceiling = Math.max(ceiling, first);
    else if (word === "marks") [accepted, floor] = [first, Math.max(floor, second)];
    else if (word === "closed") floor = first;
    else if (word === "found") {
      checkFound(first, floor, ceiling, about);
      [floor, ceiling] = [first, first];
    } else if (word === "late") throw new Broken("hang", `${about}: ${line}`);
    else if (word === "broken") throw new Broken("wrong", `${about}: ${rest.join(" ")}`);
  }
  return { floor, ceiling, accepted };
}

function checkFound(last: number, floor: number, ceiling: number, about: string): void {
  if (last < floor) throw new Broken("lost", `${about}: ${floor} was written, ${last} is last`);
  if (last > ceiling) throw new Broken("wrong", `${about}: ${last} came back of ${ceiling}`);
}

/** An exit with batches that nobody can drain any more says so; everything else ends well. */
function checkEnd(victim: Victim, exits: boolean, mayLose: boolean, about: string): void {
  const { fate } = victim;
  const isTold = /varve: batches \d+ to \d+ of /.test(fate);
  if (exits && mayLose && isTold && fate.startsWith("1:")) return;
  if (exits && !isTold && fate.startsWith("0:")) return;
  if (!exits && victim.lines.at(-1) === "end" && fate.startsWith("0:")) return;
  throw new Broken("wrong", `${about}: it ended otherwise, ${fate}`);
}
