import type { Slot, Variant } from "@varve/contracts";
import type { Trial, TrialOptions } from "./trial.ts";

/** A promise that can be run. Its id never changes; its title is for people. */
export interface Case<S extends Slot = Slot> {
  /** `slot/what-it-promises`. */
  readonly id: string;
  readonly slot: S;
  readonly title: string;
  /** The kinds of disk that it can run on. */
  readonly disks: readonly DiskKind[];
  /** Whether the variant promises it at all, by its traits, and whether the options allow to try. */
  applies(variant: Variant<S>, options: TrialOptions): boolean;
  /** Rejects when the promise is broken. */
  run(trial: Trial<S>): Promise<void>;
}

/** `sim` can crash, fail and be looked into; `node` is a real directory, for parts with threads or files of their own. */
export type DiskKind = "sim" | "node";

/** What `cases` needs to know of a case beside its id. */
export interface CaseBody<S extends Slot> {
  readonly title: string;
  readonly disks?: readonly DiskKind[];
  readonly applies?: (variant: Variant<S>, options: TrialOptions) => boolean;
  readonly run: (trial: Trial<S>) => void | Promise<void>;
}

/** Makes the cases of a slot from bodies by their names. */
export function cases<S extends Slot>(
  slot: S,
  bodies: Readonly<Record<string, CaseBody<S>>>,
): readonly Case<S>[] {
  return Object.entries(bodies).map(([name, body]) => ({
    id: `${slot}/${name}`,
    slot,
    title: body.title,
    disks: body.disks ?? ["sim", "node"],
    applies: body.applies ?? (() => true),
    run: async (trial) => body.run(trial),
  }));
}
