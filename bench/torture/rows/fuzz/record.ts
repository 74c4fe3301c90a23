import { makeRandom, type Random } from "@varve/bytes";
import { isStorageError, type RecordCodec, type RecordVisitor } from "@varve/contracts";
import { inlineRecord } from "@varve/record/inline";
import { refRecord } from "@varve/record/ref";
import { Broken } from "../../row.ts";
import { fuzzRow, type FuzzTarget, INPUT_BYTES_MAX, Refusal, type Sound } from "./fuzz-row.ts";
import { readRecord, type RecordReading, sampleEvent, seriesEvent } from "./record-reading.ts";
import { type DrawnRow, drawRows, encodeRows } from "./drawn-rows.ts";

interface SoundRecord extends Sound {
  readonly events: readonly string[];
}

/** Strange bytes before and behind the input: what is read there shows. */
const MARGIN = 16;

/** Records of the log, as both codecs write and read them. */
export const RECORD_ROW = fuzzRow("record", "records of the log, by both codecs", openTarget);

async function openTarget(): Promise<FuzzTarget<SoundRecord, RecordReading>> {
  const codecs = { ref: await refRecord().open({}), inline: await inlineRecord().open({}) };
  const scratch = new Uint8Array(INPUT_BYTES_MAX + 2 * MARGIN);
  const strange = makeRandom(1);
  let turn = 0;
  return {
    codes: [],
    make(random) {
      const name = random.pick(["ref", "inline"] as const);
      const rows = drawRows(random);
      const records = encodeRows(codecs[name], rows);
      return name === "inline"
        ? inlineSound(records, rows, random)
        : refSound(records, rows, random);
    },
    prepare(bytes) {
      for (let i = 0; i < MARGIN; i += 1) {
        scratch[i] = strange.below(256);
        scratch[MARGIN + bytes.length + i] = strange.below(256);
      }
      scratch.set(bytes, MARGIN);
    },
    decode(bytes) {
      turn += 1; // Both read what both write.
      return decode(turn % 2 === 0 ? codecs.ref : codecs.inline, scratch, bytes.length);
    },
    judge(found, { bytes, origin, isIntact }) {
      if (found instanceof Refusal) throw new Broken("wrong", "no refusal gets here");
      const expected = readRecord(bytes);
      compare(found, expected, "an independent reading");
      if (isIntact) compare(found, { events: origin.events, end: "whole" }, "what was encoded");
    },
  };
}

/** A record of all series that are new, or one of all samples. */
function refSound(
  records: readonly Uint8Array[],
  rows: readonly DrawnRow[],
  random: Random,
): SoundRecord {
  const series = rows.filter(({ isNew }) => isNew).map(({ ref, key }) => seriesEvent(ref, key));
  const samples = rows.map(({ ref, time, bits }) => sampleEvent(ref, time, bits));
  const isSeries = series.length > 0 && random.chance(0.5);
  return isSeries
    ? { bytes: records[0]!, events: series }
    : { bytes: records.at(-1)!, events: samples };
}

/** A record of one row, with its labels. */
function inlineSound(
  records: readonly Uint8Array[],
  rows: readonly DrawnRow[],
  random: Random,
): SoundRecord {
  const i = random.below(records.length);
  const { ref, key, time, bits } = rows[i]!;
  return { bytes: records[i]!, events: [seriesEvent(ref, key), sampleEvent(ref, time, bits)] };
}

function decode(codec: RecordCodec, scratch: Uint8Array, length: number): RecordReading {
  const events: string[] = [];
  const visitor: RecordVisitor = {
    series: (ref, bytes, from, until) =>
      void events.push(seriesEvent(ref, bytes.subarray(from, until))),
    samples(refs, times, values, count) {
      const bits = new BigUint64Array(values.buffer, values.byteOffset, count);
      for (let i = 0; i < count; i += 1) events.push(sampleEvent(refs[i]!, times[i]!, bits[i]!));
    },
  };
  try {
    const isKnown = codec.decode(scratch, MARGIN, MARGIN + length, visitor);
    return { events, end: isKnown ? "whole" : "unknown" };
  } catch (error) {
    // What was told before counts, so that a refusal is an answer here.
    if (isStorageError(error, "WAL_CORRUPT")) return { events, end: "malformed" };
    throw error;
  }
}

function compare(found: RecordReading, expected: RecordReading, what: string): void {
  const isSame =
    found.end === expected.end &&
    found.events.length === expected.events.length &&
    found.events.every((event, i) => event === expected.events[i]);
  if (isSame) return;
  const say = ({ events, end }: RecordReading): string => `${end}, ${events.length} events`;
  throw new Broken("wrong", `${say(found)}, where ${what} has ${say(expected)}, or others`);
}
