import { Broken, type Kind, type Row, type Tier, type TrialContext } from "../../row.ts";
import { bytesIn, type Damage, damageOf, type DamageWay } from "./file.ts";
import { DamagedLmdb } from "./lmdb.ts";
import { checkHolder, HOLDER_BYTES } from "./lock.ts";
import { FILE_KINDS, type FileKind, type Specimen } from "./specimens.ts";

/** What is done to a file, and how its damages are counted. */
interface Way {
  readonly name: DamageWay;
  readonly kind: Kind;
  readonly unit: string;
  readonly title: string;
  /** How many there are of a file of so many bytes. */
  count(bytes: number): number;
}

const SCRIBBLES = 4000;
const WAYS: readonly Way[] = [
  {
    name: "truncate",
    kind: "truncation",
    unit: "cuts",
    title: "cut at every byte",
    count: (bytes) => bytes,
  },
  {
    name: "flip",
    kind: "bitFlip",
    unit: "flips",
    title: "every bit flipped",
    count: (bytes) => 8 * bytes,
  },
  {
    name: "scribble",
    kind: "bitFlip",
    unit: "scribbles",
    title: "overwritten, zeroed, and sectors and frames misdirected, of other files, too",
    count: () => SCRIBBLES,
  },
];

/** Damages that a row of the tier `pr` does at most, in one trial. */
const PR_DAMAGES = 60;
/** Damages of one trial of the tier `full`. */
const PER_TRIAL = 768;
const LMDB_FULL: Readonly<Record<DamageWay, number>> = {
  truncate: 200,
  flip: 400,
  scribble: 200,
};
const LMDB_PR = 2;
const LMDB_PER_TRIAL = 10;
/** Whoever is refused waits a fifth of a second for a holder that can be read. */
const LOCK_SCRIBBLES = 100;
const LOCK_PER_TRIAL = 6;

/** Damage at rest: a row for each kind of file and each way to damage it. */
export const DAMAGE_ROWS: readonly Row[] = [
  ...FILE_KINDS.flatMap((kind) => WAYS.map((way) => rowOf(kind, way))),
  ...WAYS.map((way) => lmdbRow(way)),
  ...WAYS.map((way) => lockRow(way)),
];

function rowOf(file: FileKind, way: Way): Row {
  const total = way.count(file.bytes);
  const full = Math.ceil(total / PER_TRIAL);
  const few = Math.min(total, PR_DAMAGES);
  return {
    id: `${way.name}-${file.name}`,
    title: `${file.title}: ${way.title}; refused, reported or whole, and never wrong`,
    kind: way.kind,
    unit: way.unit,
    count: { pr: few, full: total },
    trials: { pr: 1, full },
    trialMs: 60_000,
    trial: (context) => trial(context, file, way, full),
  };
}

const specimens = new Map<string, Promise<Specimen>>();

async function trial(
  { tier, seed, random }: TrialContext,
  file: FileKind,
  way: Way,
  trials: number,
): Promise<number> {
  const { name, wholeEvery } = file;
  if (!specimens.has(name)) specimens.set(name, file.make()); // Once a process: it is never written to.
  const specimen = await specimens.get(name)!;
  const { original } = specimen;
  const total = way.count(Math.min(file.bytes, bytesIn(original.spans)));
  let count = 0;
  for (const index of share(total, seed, tier, trials)) {
    const damage = damageOf(way.name, original, index, random);
    await told(damage, () => specimen.part(damage));
    if (isChosen(index, wholeEvery)) await told(damage, () => specimen.whole(damage));
    count += 1;
  }
  return count;
}

/** The damages of one trial: over all of them each comes once, or in the tier `pr` a few from everywhere. */
function* share(total: number, seed: number, tier: Tier, trials: number): Iterable<number> {
  if (tier === "full") {
    for (let i = (seed - 1) % trials; i < total; i += trials) yield i;
    return;
  }
  // Odd, so that each bit of a byte has its turn.
  const step = Math.ceil(total / PR_DAMAGES) | 1;
  for (let i = (seed - 1) % step; i < total; i += step) yield i;
}

/** One in `every`, spread over all. */
function isChosen(index: number, every: number): boolean {
  return every === 1 || (Math.imul(index + 1, 0x9e37_79b1) >>> 16) % every === 0;
}

/** Whatever is thrown says what was damaged, and how. */
async function told(damage: Damage, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Broken) throw new Broken(error.fault, `${damage.text}: ${error.message}`);
    throw new Error(`${damage.text}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** Real files, in processes of their own like every trial: damage may not end them either. */
function lmdbRow(way: Way): Row {
  const total = LMDB_FULL[way.name];
  return {
    id: `${way.name}-lmdb`,
    title: `an LMDB index, closed or left by a process that died, and what vouches for it: ${way.title}, by chance; used, or built again, and never wrong`,
    kind: way.kind,
    unit: way.unit,
    count: { pr: LMDB_PR, full: total },
    trials: { pr: 1, full: total / LMDB_PER_TRIAL },
    trialMs: 120_000,
    trial: (context) => lmdbTrial(context, way),
  };
}

const indexes = new Map<string, Promise<DamagedLmdb>>();

async function lmdbTrial({ dir, seed, tier, random }: TrialContext, way: Way): Promise<number> {
  if (!indexes.has(dir)) indexes.set(dir, DamagedLmdb.make(dir));
  const lmdb = await indexes.get(dir)!;
  const count = tier === "pr" ? LMDB_PR : LMDB_PER_TRIAL;
  for (let i = 0; i < count; i += 1) {
    const { path, original } = lmdb.file(seed + i);
    const index = random.below(way.count(original.bytes.length));
    const damage = damageOf(way.name, original, index, random);
    await told({ ...damage, text: `${path}: ${damage.text}` }, () => lmdb.check(path, damage));
  }
  return count;
}

/** Nobody believes what LOCK.info says; whoever is refused is told it. */
function lockRow(way: Way): Row {
  const total = way.name === "scribble" ? LOCK_SCRIBBLES : way.count(HOLDER_BYTES);
  return {
    id: `${way.name}-lock-info`,
    title: `LOCK.info: ${way.title}; the lock is taken, or refused as held`,
    kind: way.kind,
    unit: way.unit,
    count: { pr: LOCK_PER_TRIAL, full: total },
    trials: { pr: 1, full: Math.ceil(total / LOCK_PER_TRIAL) },
    trialMs: 60_000,
    trial: async ({ dir, seed, random }) => {
      const first = ((seed - 1) * LOCK_PER_TRIAL) % total;
      const until = Math.min(total, first + LOCK_PER_TRIAL);
      for (let index = first; index < until; index += 1) checkHolder(dir, way.name, index, random);
      return until - first;
    },
  };
}
