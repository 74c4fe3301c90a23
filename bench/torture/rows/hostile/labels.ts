import type { Random } from "@varve/bytes";
import { type Labels, LABEL_LIMITS } from "@varve/contracts";
import { simDisk } from "@varve/disk/sim";
import { isStorageError, open, recommended, type Engine } from "varve";
import { Broken, type Row, type TrialContext } from "../../row.ts";

const WRITES_PER_TRIAL = 400;

/** Texts that have broken somebody's storage before. */
const TEXTS = [
  ["", "a", "0", "12345", "-1", "4294967295", "1e3", " ", "\u0000", "\n", '"', "\\", "\u007f"],
  ["__proto__", "constructor", "hasOwnProperty", "toString", "valueOf", "toJSON", "length"],
  ["é", "\u2028", "\ufffd", "\ue000", "\uffff", "\u{1f600}", "\u{10ffff}", "ÿ", "a\u00ffb"],
  ["\ud800", "\udfff", "a\udc00", "\ud83d\ud83d"],
  ["../x", "/etc/passwd", "CON", "a/b", "wal/00000000"],
].flat();
const LENGTHS = [255, 256, 257, 4095, 4096, 4097, 2 ** 20];
const TIMES = [0, -1, 1, 2 ** 53 - 1, -(2 ** 53 - 1), 8.64e15, -8.64e15, 2 ** 53, -(2 ** 53)];
const BAD_TIMES = [Number.NaN, Infinity, -Infinity, 0.5, 1e300];
const VALUE_BITS = [
  0n,
  0x8000000000000000n,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000001n,
  0x7ff0000000000002n,
  0xfff8dead0000beefn,
  1n,
];
/** Not even an object of strings. */
const NO_LABELS: readonly unknown[] = [
  null,
  undefined,
  7,
  10n,
  "labels",
  [],
  () => undefined,
  Symbol("labels"),
  { a: 1 },
  { a: null },
  { a: 10n },
  { a: { toString: () => "x" } },
  { toJSON: () => ({ a: "x" }) },
  Object.defineProperty({}, "self", { get: () => ({}), enumerable: true }),
];

/** What a store must hold: samples by the text of their labels, as times and the bits of values. */
type Held = Map<string, [time: number, bits: bigint][]>;

const LABELS_ROW: Row = {
  id: "hostile-labels",
  title:
    "whole engine: labels, times and values that are malformed, too long, too many or look like something else are refused by a code, or read back bit for bit, before and after a reopen",
  kind: "fuzz",
  unit: "writes",
  count: { pr: 20 * WRITES_PER_TRIAL, full: 500 * WRITES_PER_TRIAL },
  trialMs: 60_000,
  trial,
};

export const HOSTILE_LABELS_ROWS: readonly Row[] = [LABELS_ROW];

async function trial({ random }: TrialContext): Promise<number> {
  const disk = simDisk({ seed: random.word() });
  const held: Held = new Map();
  const openStore = (): Promise<Engine> =>
    open({ dir: "/data", disk, plan: recommended(), memoryBytesMax: 2 ** 26, maintainEveryMs: 0 });
  let store = await openStore();
  const pool = Array.from({ length: 12 }, () => labelsFrom(random));
  const value = new Float64Array(1);
  const bits = new BigUint64Array(value.buffer);
  for (let i = 0; i < WRITES_PER_TRIAL; i += 1) {
    const labels = random.chance(0.7) ? random.pick(pool) : labelsFrom(random);
    const time = timeFrom(random);
    bits[0] = random.chance(0.5) ? random.pick(VALUE_BITS) : BigInt(random.word());
    const expected = expectedOf(held, labels, time, bits[0]);
    const batch = random.chance(0.3);
    const code = batch ? writeBatch(store, labels, time, value) : write(store, labels, time, value);
    if (!expected.includes(code)) {
      throw new Broken(
        "wrong",
        `${tell(labels)} at ${time}: ${code} instead of ${expected.join(" or ")}`,
      );
    }
    if (code === "ok") add(held, labels as Labels, time, bits[0]);
  }
  await expectHeld(store, held);
  await store.close();
  store = await openStore();
  await expectHeld(store, held);
  await store.close();
  return WRITES_PER_TRIAL;
}

function write(store: Engine, labels: unknown, time: number, value: Float64Array): string {
  try {
    store.write(labels as Labels, time, value[0]!);
    return "ok";
  } catch (error) {
    return codeOf(error);
  }
}

/** The same as a row of a batch, whose value's bits never pass through a number. */
function writeBatch(store: Engine, labels: unknown, time: number, value: Float64Array): string {
  const batch = store.batch(4);
  try {
    batch.add(labels as Labels, time, 0);
  } catch (error) {
    return codeOf(error);
  }
  new Uint8Array(batch.rows.values.buffer, batch.rows.values.byteOffset, 8).set(
    new Uint8Array(value.buffer),
  );
  store.writeBatch(batch);
  const codes = ["OPEN", "ok", "ok", "OUT_OF_ORDER", "CONFLICT", "LIMIT", "BAD_TIME"];
  return codes[batch.rows.status[0]!] ?? `status ${batch.rows.status[0]}`;
}

/** Only typed errors, which repeat little of what came. */
function codeOf(error: unknown): string {
  if (!isStorageError(error)) return `an untyped error: ${String(error)}`;
  return error.message.length > 1000 ? `a message of ${error.message.length}` : error.code;
}

/** What the documentation says of such a row: of two faults either may be told. */
function expectedOf(held: Held, labels: unknown, time: number, bits: bigint): readonly string[] {
  const faults = [];
  if (!areLabels(labels)) faults.push("LABELS");
  if (!Number.isSafeInteger(time)) faults.push("BAD_TIME");
  if (faults.length > 0 || !areLabels(labels)) return faults;
  const last = held.get(nameOf(labels))?.at(-1);
  if (last === undefined || time > last[0]) return ["ok"];
  if (time < last[0]) return ["OUT_OF_ORDER"];
  return [last[1] === bits ? "ok" : "CONFLICT"];
}

function areLabels(labels: unknown): labels is Labels {
  if (typeof labels !== "object" || labels === null) return false;
  const kept = Object.entries(labels).filter(([, value]) => value !== "");
  return (
    kept.length > 0 &&
    kept.length <= LABEL_LIMITS.labelsMax &&
    kept.every(
      ([name, value]) =>
        name !== "" &&
        typeof value === "string" &&
        isText(name, LABEL_LIMITS.nameBytesMax) &&
        isText(value, LABEL_LIMITS.valueBytesMax),
    )
  );
}

function isText(text: string, bytesMax: number): boolean {
  return !/\p{Surrogate}/u.test(text) && Buffer.byteLength(text) <= bytesMax;
}

function add(held: Held, labels: Labels, time: number, bits: bigint): void {
  const name = nameOf(labels);
  const samples = held.get(name) ?? [];
  if (samples.at(-1)?.[0] !== time) samples.push([time, bits]);
  held.set(name, samples);
}

async function expectHeld(store: Engine, held: Held): Promise<void> {
  const left = new Set(held.keys());
  for await (const { labels, times, values } of store.select({})) {
    const name = nameOf(labels);
    const bits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
    const found = Array.from(times, (time, i) => `${time} ${bits[i]}`).join();
    if (!left.delete(name)) throw new Broken("wrong", `${name.slice(0, 200)} was never written`);
    if (
      found !==
      held
        .get(name)!
        .map((each) => each.join(" "))
        .join()
    ) {
      throw new Broken("wrong", `${name.slice(0, 200)} has other samples than were accepted`);
    }
  }
  if (left.size > 0) throw new Broken("lost", `${left.size} series of ${held.size} are missing`);
}

function nameOf(labels: Labels): string {
  const kept = Object.entries(labels).filter(([, value]) => value !== "");
  return JSON.stringify(kept.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function labelsFrom(random: Random): unknown {
  if (random.chance(0.1)) return random.pick(NO_LABELS);
  const count = random.chance(0.05) ? 60 + random.below(10) : random.below(5);
  const labels: Record<string, string> = {};
  for (let i = 0; i < count; i += 1) {
    const name = count > 50 ? `n${i}` : textFrom(random);
    // Also names that a plain assignment would not make own properties.
    Object.defineProperty(labels, name, {
      value: textFrom(random),
      enumerable: true,
      configurable: true,
    });
  }
  return labels;
}

function textFrom(random: Random): string {
  if (random.chance(0.03)) return "x€"[random.below(2)]!.repeat(random.pick(LENGTHS));
  return random.chance(0.3) ? random.pick(TEXTS) + random.pick(TEXTS) : random.pick(TEXTS);
}

function timeFrom(random: Random): number {
  if (random.chance(0.1)) return random.pick(BAD_TIMES);
  return random.chance(0.3) ? random.pick(TIMES) : random.below(1000);
}

function tell(labels: unknown): string {
  try {
    return (JSON.stringify(labels) ?? String(labels)).slice(0, 200);
  } catch {
    return Object.prototype.toString.call(labels);
  }
}
