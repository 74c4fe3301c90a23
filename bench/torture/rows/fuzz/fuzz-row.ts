import { getHeapStatistics } from "node:v8";
import type { Random } from "@varve/bytes";
import { isStorageError, type StorageErrorCode } from "@varve/contracts";
import { Broken, type Row, type TrialContext } from "../../row.ts";
import { garbage, mutate } from "./bytes.ts";

/** An input as our own encoder makes it. A target adds what it holds. */
export interface Sound {
  readonly bytes: Uint8Array;
}

/** What was decoded, and where it comes from: unchanged when it is `isIntact`. */
export interface FuzzInput<S extends Sound> {
  readonly bytes: Uint8Array;
  readonly origin: S;
  readonly isIntact: boolean;
}

/** A decoder, what it is fed with, and what is known about its answers. */
export interface FuzzTarget<S extends Sound, Found> {
  /** How it may refuse. Anything else that it throws is a fault. */
  readonly codes: readonly StorageErrorCode[];
  /** Sound inputs that a trial begins with: fewer where they are dear. 12 by default. */
  readonly sounds?: number;
  /** Share of changes that keep an input's length: for formats in which everything else would be shifted. */
  readonly keepsLength?: number;
  /** Memory that one decoding may ask for, in bytes: what it always needs, and 4 times the largest input. */
  readonly memoryMax?: number;
  make(random: Random): S | Promise<S>;
  /** Changes an input as only one who knows the format can. */
  readonly change?: (sound: S, other: S, random: Random) => Uint8Array;
  /** Puts checksums right after a change, so that what lies behind them is reached. Changes `bytes`, or returns others. */
  readonly mend?: (bytes: Uint8Array, random: Random) => Uint8Array;
  /** What is done before each decoding, apart from its time. */
  readonly prepare?: (bytes: Uint8Array, origin: S) => void;
  /** `origin` is the sound input that was changed. */
  decode(bytes: Uint8Array, origin: S): Found | Promise<Found>;
  /** Throws `Broken` for a wrong answer. `found` is the refusal where there is one. */
  judge(found: Found | Refusal, input: FuzzInput<S>): void | Promise<void>;
}

/** The decoder said no. */
export class Refusal {
  readonly error: Error;

  constructor(error: Error) {
    this.error = error;
  }
}

const INPUTS_PER_TRIAL = 2000;
/** Longest time that one input may take, as this thread works: others on the machine do not count. */
const INPUT_MS_MAX = 50;
/** Garbage is collected in the middle of some decodings: what takes too much is tried again so often. */
const ATTEMPTS = 4;
const MEMORY_MAX = 16 * 2 ** 20;
/** Inputs longer than this are cut. */
export const INPUT_BYTES_MAX = 64 * 1024;
/** How many bytes of an input a finding shows. */
const SHOWN_BYTES = 300;

/** Shares of inputs that are left as they are, and that are no change of a sound one. */
const INTACT = 0.06;
const RANDOM = 0.03;
/** Shares of changed inputs that are changed by the format's own rules, and whose checksums are not put right. */
const INFORMED = 0.4;
const UNMENDED = 0.12;

/** The row of a decoder. */
export function fuzzRow<S extends Sound, Found>(
  name: string,
  what: string,
  open: () => FuzzTarget<S, Found> | Promise<FuzzTarget<S, Found>>,
): Row {
  return {
    id: `fuzz-${name}`,
    title: `${what}: sound, changed and random inputs are read as they are or refused, soon and in little memory`,
    kind: "fuzz",
    unit: "inputs",
    count: { pr: 10_000, full: 1_000_000 },
    trialMs: 60_000,
    trial: async (context) => fuzz(await open(), context), // Anew, so that a seed says all.
  };
}

async function fuzz<S extends Sound, Found>(
  target: FuzzTarget<S, Found>,
  { random }: TrialContext,
): Promise<number> {
  const sounds: S[] = [];
  for (let i = 0; i < (target.sounds ?? 12); i += 1) sounds.push(await target.make(random));
  for (let i = 0; i < INPUTS_PER_TRIAL; i += 1) {
    const origin = sounds[i] ?? random.pick(sounds);
    const isIntact = i < sounds.length || random.chance(INTACT);
    const bytes = isIntact ? origin.bytes : changed(target, origin, random.pick(sounds), random);
    try {
      await one(target, { bytes, origin, isIntact });
    } catch (error) {
      throw told(error, i, bytes);
    }
  }
  return INPUTS_PER_TRIAL;
}

function changed<S extends Sound, Found>(
  target: FuzzTarget<S, Found>,
  sound: S,
  other: S,
  random: Random,
): Uint8Array {
  if (random.chance(RANDOM)) return garbage(random);
  const { change, mend, keepsLength = 0.3 } = target;
  let { bytes } = sound;
  const isInformed = change !== undefined && random.chance(INFORMED);
  if (isInformed) bytes = change(sound, other, random);
  if (!isInformed || random.chance(0.3)) bytes = mutate(random, bytes, other.bytes, keepsLength);
  if (bytes.length > INPUT_BYTES_MAX) bytes = bytes.slice(0, INPUT_BYTES_MAX);
  return mend === undefined || random.chance(UNMENDED) ? bytes : mend(bytes, random);
}

async function one<S extends Sound, Found>(
  target: FuzzTarget<S, Found>,
  input: FuzzInput<S>,
): Promise<void> {
  const { memoryMax = MEMORY_MAX } = target;
  let found: Found | Refusal;
  let leastMs = Infinity;
  let leastBytes = Infinity;
  let attempt = 0;
  do {
    attempt += 1;
    target.prepare?.(input.bytes, input.origin);
    const before = memoryNow();
    const beginMs = workedMs();
    found = await decode(target, input);
    leastMs = Math.min(leastMs, workedMs() - beginMs);
    leastBytes = Math.min(leastBytes, memoryNow() - before);
  } while ((leastMs > INPUT_MS_MAX || leastBytes > memoryMax) && attempt < ATTEMPTS);
  if (leastMs > INPUT_MS_MAX) throw new Broken("hang", `it takes ${Math.round(leastMs)} ms`);
  if (leastBytes > memoryMax) throw new Broken("wrong", `it takes ${leastBytes} bytes of memory`);
  if (input.isIntact && found instanceof Refusal) {
    throw new Broken("lost", `a sound input is refused: ${found.error.message}`);
  }
  const judged = target.judge(found, input);
  if (judged !== undefined) await judged;
}

async function decode<S extends Sound, Found>(
  target: FuzzTarget<S, Found>,
  { bytes, origin }: FuzzInput<S>,
): Promise<Found | Refusal> {
  try {
    const answer = target.decode(bytes, origin);
    return answer instanceof Promise ? await answer : answer;
  } catch (error) {
    if (isStorageError(error) && target.codes.includes(error.code)) return new Refusal(error);
    throw error;
  }
}

/** How long this thread has worked so far. */
function workedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Bytes that are set aside now, garbage included: what a decoding adds to it is what it asked for. */
function memoryNow(): number {
  const { used_heap_size: heap, external_memory: outside } = getHeapStatistics();
  return heap + outside;
}

function told(error: unknown, number: number, input: Uint8Array): Broken {
  const isBroken = error instanceof Broken;
  const text = isBroken ? error.message : error instanceof Error ? error.stack : String(error);
  const shown = Buffer.from(input.subarray(0, SHOWN_BYTES)).toString("hex");
  const rest = input.length > SHOWN_BYTES ? "…" : "";
  const where = `input ${number} of ${input.length} bytes`;
  return new Broken(isBroken ? error.fault : "wrong", `${where}: ${text}; ${shown}${rest}`);
}
