import type { Random } from "@varve/bytes";
import {
  ACCEPTED,
  CHUNK_AT,
  CHUNK_CAPACITY,
  CHUNK_COUNT,
  CHUNK_END_TIME,
  CHUNK_LAST_TIME,
  CHUNK_STOP,
  LATE,
  OPEN_CHUNK_BYTES,
  OUT_OF_ORDER,
  type ChunkCodec,
  type ChunkState,
  type OpenChunkTable,
  type WriteBatch,
} from "@varve/contracts";
import { cases } from "../case.ts";
import { holds, same, sameList } from "../expect.ts";
import type { Trial } from "../trial.ts";
import { placeOf, randomWalk, type ChunkPlace, type Sample } from "./chunk-steps.ts";

const PAGE_SHIFT = 2;
const SERIES_PER_PAGE = 4;
/** Of the pages, the second is not there, and the fifth lies beyond the table. */
const PAGES = 4;
const MISSING_PAGE = 1;
const SERIES = (PAGES + 1) * SERIES_PER_PAGE;
const FIRST_AT = 64;
const ROWS = 400;

export const chunkRowsCases = cases("chunk", {
  "appends-rows-as-it-appends-samples": {
    title: "appends a batch, where it has a form for that, as it appends samples one by one",
    async run(trial) {
      const codec = await trial.open();
      if (codec.appendRows === undefined) return;
      let stops = 0;
      for (let round = 0; round < 30; round += 1) {
        const chunks = new OpenChunks(trial, codec);
        const batch = trial.batch(ROWS);
        fill(batch, trial.random);
        for (let from = 0; from < ROWS;) {
          const until = from + 1 + trial.random.below(ROWS - from);
          const expected = chunks.expect(batch, from, until);
          const row = codec.appendRows(batch, from, until, chunks.table);
          same(row, expected, `row at which ${from} … ${until} ends`);
          chunks.compare(`rows ${from} … ${row}`);
          if (row < until) {
            stops += 1;
            chunks.goOn(batch.refs[row]!, trial.random);
          }
          from = row < until ? row + 1 : until;
        }
        batch.dispose();
      }
      holds(stops > 100, `it stops where it has to, ${stops} times`);
    },
  },
});

/** Rows of all series: a walk each, its samples spread over the batch, most of them ACCEPTED. */
function fill(batch: ReturnType<Trial<"chunk">["batch"]>, random: Random): void {
  const walks = Array.from({ length: SERIES }, () => randomWalk(random, ROWS));
  const next = new Uint32Array(SERIES);
  for (let i = 0; i < ROWS; i += 1) {
    const series = random.below(SERIES);
    const { time, low, high } = walks[series]![next[series]!++]!;
    const row = batch.add(time, 0);
    batch.valueWords[2 * row] = low;
    batch.valueWords[2 * row + 1] = high;
    batch.refs[row] = series + 1;
    batch.status[row] = random.chance(0.9) ? ACCEPTED : random.pick([OUT_OF_ORDER, LATE]);
  }
}

/** Open chunks twice: in a table for the batch form, and in places for what it has to be like. */
class OpenChunks {
  readonly table: OpenChunkTable;
  readonly #codec: ChunkCodec;
  readonly #views: (ChunkState & { readonly at: number })[] = [];
  readonly #places: ChunkPlace[] = [];
  readonly #bytes: Uint8Array[] = [];
  readonly #ends: number[] = [];
  readonly #stops: number[] = [];
  readonly #lasts: number[] = [];

  constructor(trial: Trial<"chunk">, codec: ChunkCodec) {
    const { memory, random } = trial;
    this.#codec = codec;
    const stride = Math.ceil((FIRST_AT + OPEN_CHUNK_BYTES + codec.stateBytes) / 64) * 64;
    const pageBytes = SERIES_PER_PAGE * stride;
    const pagesAt = memory.take(PAGES * 4);
    const pages = memory.unsigned(pagesAt, PAGES);
    for (let page = 0; page <= PAGES; page += 1) {
      const pageAt = memory.take(pageBytes);
      if (page < PAGES && page !== MISSING_PAGE) pages[page] = pageAt;
      for (let i = 0; i < SERIES_PER_PAGE; i += 1) {
        const at = pageAt + i * stride + FIRST_AT;
        const length = OPEN_CHUNK_BYTES + codec.stateBytes;
        this.#views.push({
          at,
          words: memory.words(at, length / 4),
          doubles: memory.doubles(at, length / 8),
        });
        this.#open(trial, random.pick([24, 64, 512]));
      }
    }
    this.table = { pagesAt, pageCount: PAGES, pageShift: PAGE_SHIFT, stride, firstAt: FIRST_AT };
  }

  #open(trial: Trial<"chunk">, bytes: number): void {
    const { memory, random } = trial;
    const series = this.#places.length;
    const { words, doubles } = this.#views[series]!;
    const capacity = Math.ceil(Math.max(bytes, this.#codec.capacityMin) / 8) * 8;
    const bytesAt = memory.take(capacity + 8);
    const place = placeOf(trial, this.#codec, capacity);
    const chunk = memory.bytes(bytesAt, capacity);
    const end = random.chance(0.2) ? 1_700_000_100_000 : Number.MAX_SAFE_INTEGER;
    const stop = random.pick([0, 1, 2, 10, 1000]);
    this.#codec.open({ words, doubles }, OPEN_CHUNK_BYTES, chunk, 0);
    words[CHUNK_AT / 4] = bytesAt;
    words[CHUNK_CAPACITY / 4] = capacity;
    words[CHUNK_STOP / 4] = stop;
    doubles[CHUNK_END_TIME / 8] = end;
    this.#bytes.push(chunk);
    this.#places.push(place);
    this.#ends.push(end);
    this.#stops.push(stop);
    this.#lasts.push(0);
  }

  /** Applies the rows to the places one by one, and returns the row at which the batch form has to stop. */
  expect(batch: WriteBatch, from: number, until: number): number {
    for (let row = from; row < until; row += 1) {
      if (batch.status[row] === LATE) return row;
      if (batch.status[row] !== ACCEPTED) continue;
      const series = batch.refs[row]! - 1;
      const page = series >>> PAGE_SHIFT;
      if (page === MISSING_PAGE || page >= PAGES) return row;
      const place = this.#places[series]!;
      const time = batch.times[row]!;
      if (place.count + 1 >= this.#stops[series]! || time >= this.#ends[series]!) return row;
      const sample: Sample = {
        time,
        low: batch.valueWords[2 * row]!,
        high: batch.valueWords[2 * row + 1]!,
      };
      if (!place.append(sample)) return row;
      this.#lasts[series] = time;
    }
    return until;
  }

  /** What the owner of the table does: the chunk may take more samples now. */
  goOn(ref: number, random: Random): void {
    const series = ref - 1;
    const stop = random.chance(0.7) ? 1000 : 0;
    this.#stops[series] = stop;
    this.#ends[series] = Number.MAX_SAFE_INTEGER;
    this.#views[series]!.words[CHUNK_STOP / 4] = stop;
    this.#views[series]!.doubles[CHUNK_END_TIME / 8] = Number.MAX_SAFE_INTEGER;
  }

  compare(what: string): void {
    for (const [series, place] of this.#places.entries()) {
      const { words, doubles } = this.#views[series]!;
      const state = { words, doubles };
      const length = this.#codec.length(state, OPEN_CHUNK_BYTES);
      const about = `${what}: series ${series + 1}`;
      same(words[CHUNK_COUNT / 4], place.count, `${about}: samples in the table`);
      same(doubles[CHUNK_LAST_TIME / 8], this.#lasts[series], `${about}: last time`);
      same(this.#codec.count(state, OPEN_CHUNK_BYTES), place.count, `${about}: samples`);
      same(length, place.length, `${about}: length`);
      const expected = place.bytes.subarray(place.at, place.at + length);
      sameList(this.#bytes[series]!.subarray(0, length), expected, `${about}: bytes`);
    }
  }
}
