import { makeBatch, reserveMemory, type Random, type RowBatch } from "@varve/bytes";
import {
  isStorageError,
  LABEL_LIMITS,
  type KeyEncoder,
  type LabelLimits,
  type Labels,
  type StorageError,
  type Variant,
} from "@varve/contracts";

/** Opens a variant, whose `open` is synchronous in this package. */
export function openKey(
  variant: Variant<"label-key">,
  limits: LabelLimits = LABEL_LIMITS,
): KeyEncoder {
  return variant.open({ limits }) as KeyEncoder;
}

export function smallBatch(capacity = 64): RowBatch {
  return makeBatch(reserveMemory({ bytesMax: 2 ** 24 }), capacity);
}

/** Encodes into a new row and returns the key's bytes. */
export function encode(encoder: KeyEncoder, batch: RowBatch, labels: Labels): Uint8Array {
  const row = batch.add(0, 0);
  encoder.encode(labels, batch, row);
  return batch.keys.slice(batch.keyAt[row], batch.keyAt[row + 1]);
}

export function refusalOf(run: () => void): StorageError {
  try {
    run();
  } catch (error) {
    if (isStorageError(error, "LABELS")) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** The bytes of a key, from its names and values in order. */
export function keyBytes(...parts: readonly string[]): Uint8Array {
  const end = Buffer.of(0xff);
  return new Uint8Array(Buffer.concat(parts.flatMap((text) => [Buffer.from(text), end])));
}

export function shuffle<T>(items: readonly T[], random: Random): T[] {
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i -= 1) {
    const j = random.below(i + 1);
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  return shuffled;
}

/** Mostly the last set with one change, so that runs of every length stay the same; sometimes a new one. */
export function nextLabels(random: Random, last: Record<string, string>): Record<string, string> {
  const names = ["__name__", "host", "region", "job", "b", "é", "😀", "1", "22", "instance_id"];
  const values = ["", "a", "b", "aa", "é", "€uro", "x".repeat(23), "x".repeat(24), "y".repeat(70)];
  values.push(`${"z".repeat(30)}é`, "😀".repeat(9), `${"x".repeat(69)}y`);
  const labels = random.chance(0.2) ? {} : { ...last };
  const changes = Object.keys(labels).length === 0 ? 6 : 1 + random.below(2);
  for (let i = 0; i < changes; i += 1) labels[random.pick(names)] = random.pick(values);
  labels["always"] = random.pick(["u", "v"]);
  return random.chance(0.1) ? Object.fromEntries(shuffle(Object.entries(labels), random)) : labels;
}
