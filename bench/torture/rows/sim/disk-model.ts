import type { DiskModel } from "@varve/disk/sim";

/** The models of a simulated disk. */
export const MODELS: readonly DiskModel[] = ["strictPosix", "ext4", "xfs"];

/** Seeds up to this one have found things on a strict disk, and are kept: theirs stays one. */
const STRICT_SEEDS = 4096;

/** The model of a trial's disks. It is not drawn, so that it changes nothing of what else a seed draws. */
export function modelOf(seed: number): DiskModel {
  return seed <= STRICT_SEEDS ? MODELS[0]! : MODELS[seed % MODELS.length]!;
}
