import { makeColumns } from "@varve/bytes";
import { isStorageError, type ChunkCodec } from "@varve/contracts";
import { cases } from "../case.ts";
import { holds, same } from "../expect.ts";
import { bitsAt } from "../rows.ts";
import { placeOf, randomWalk } from "./chunk-steps.ts";

/** Longest that decoding damaged bytes may take, in milliseconds: it is linear, or it hangs. */
const DECODE_MS_MAX = 1000;

export const chunkDamageCases = cases("chunk", {
  "refuses-cut-chunks": {
    title: "decodes what a cut chunk still holds, or answers BLOCK_CORRUPT",
    async run(trial) {
      const codec = await trial.open();
      const place = placeOf(trial, codec, 4096);
      const samples = randomWalk(trial.random, 50);
      for (const each of samples) place.append(each);
      const sealed = place.seal();
      const whole = outcomeOf(codec, sealed, sealed.length, 50, 0);
      let refused = 0;
      for (let length = 0; length < sealed.length; length += 1) {
        const outcome = outcomeOf(codec, sealed, length, 50, 0xff);
        if (outcome === "refused") refused += 1;
        else same(outcome, whole, `outcome of ${length} of ${sealed.length} bytes`);
      }
      holds(
        refused >= sealed.length - 2,
        `cut chunks are refused, ${refused} of ${sealed.length} were`,
      );
    },
  },
  "refuses-more-than-there-is": {
    title: "answers BLOCK_CORRUPT when far more samples are asked for than the bytes can hold",
    async run(trial) {
      const codec = await trial.open();
      const place = placeOf(trial, codec, 4096);
      for (const each of randomWalk(trial.random, 50)) place.append(each);
      const sealed = place.seal();
      same(
        outcomeOf(codec, sealed, sealed.length, 65_535, 0),
        "refused",
        "outcome of 65,535 samples",
      );
      same(outcomeOf(codec, sealed, 0, 1, 0xff), "refused", "outcome of no bytes");
    },
  },
  "never-reads-outside": {
    title: "decodes the same, or refuses the same, whatever bytes lie around a chunk",
    async run(trial) {
      const codec = await trial.open();
      const place = placeOf(trial, codec, 4096);
      for (const each of randomWalk(trial.random, 40)) place.append(each);
      const sealed = place.seal();
      for (let i = 0; i < 1000; i += 1) {
        const bytes = sealed.slice();
        for (let flips = trial.random.below(4); flips > 0; flips -= 1) {
          bytes[trial.random.below(bytes.length)] = trial.random.below(256);
        }
        const length = trial.random.below(bytes.length + 1);
        const count = trial.random.below(60);
        const wanted = outcomeOf(codec, bytes, length, count, 0x00);
        same(outcomeOf(codec, bytes, length, count, 0xff), wanted, "outcome");
      }
    },
  },
  "survives-random-bytes": {
    title: "answers random bytes with samples or BLOCK_CORRUPT, and soon",
    async run(trial) {
      const codec = await trial.open();
      const start = performance.now();
      for (let i = 0; i < 3000; i += 1) {
        const bytes = new Uint8Array(trial.random.below(200)).map(() => trial.random.below(256));
        outcomeOf(codec, bytes, bytes.length, trial.random.below(300), 0xaa);
      }
      const tookMs = performance.now() - start;
      holds(tookMs < 10 * DECODE_MS_MAX, `3,000 chunks decode in seconds, took ${tookMs} ms`);
    },
  },
});

/** What a chunk decodes to between other bytes: its samples as text, or "refused". */
function outcomeOf(
  codec: ChunkCodec,
  chunk: Uint8Array,
  length: number,
  count: number,
  around: number,
): string {
  const bytes = new Uint8Array(length + 64).fill(around);
  bytes.set(chunk.subarray(0, length), 32);
  const into = makeColumns({ capacity: 1 });
  try {
    codec.decode(bytes, 32, length, count, into);
  } catch (error) {
    if (isStorageError(error, "BLOCK_CORRUPT")) return "refused";
    throw error;
  }
  same(into.length, count, "samples decoded");
  const parts: string[] = [];
  for (let i = 0; i < count; i += 1) parts.push(`${into.times[i]} ${bitsAt(into.values, i)}`);
  return parts.join(",");
}
