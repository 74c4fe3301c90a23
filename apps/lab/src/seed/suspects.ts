import type { Slot } from "@varve/contracts";
import type { PhaseName } from "@varve/engine";

/** A change to a composition, as data: the slots that get another variant, or rows a close. */
export interface Fix {
  readonly id: string;
  readonly title: string;
  /** Slots that take the best composition's variant. */
  readonly slots: readonly Slot[];
  /** The open batch closes at as many rows as in the best composition. */
  readonly openBatch?: boolean;
}

/** One of the five suspects, with what was predicted and what that project measured later. */
export interface Suspect extends Fix {
  readonly predicted: string;
  /** The prediction as a range of percent, so that it can be confirmed or refuted. */
  readonly fromPercent: number;
  readonly untilPercent: number;
  readonly measuredUpstream: string;
  /** Phases whose time is this suspect's. */
  readonly phases: readonly PhaseName[];
  /** The parts of a suspect that has more than one. */
  readonly parts: readonly Fix[];
}

/** What "minimal" means for locks: below this share of the time, in percent. */
const MINIMAL_PERCENT = 5;
/** What "low to medium" means for the block manager: below the share predicted for the log, in percent. */
const LOW_TO_MEDIUM_PERCENT = 20;

/** The five suspects. */
export const SUSPECTS: readonly Suspect[] = [
  {
    id: "series-id-and-index",
    title: "series id + index",
    slots: ["series-id", "series-index"],
    predicted: "50–70 %",
    fromPercent: 50,
    untilPercent: 70,
    measuredUpstream: "2–7 %",
    // That project's series id was the hash of its printed labels: printing them belongs to it.
    phases: ["encode key", "hash", "find", "insert"],
    parts: [
      { id: "series-id", title: "series id alone", slots: ["series-id"] },
      { id: "series-index", title: "index alone", slots: ["series-index"] },
    ],
  },
  {
    id: "wal",
    title: "WAL",
    slots: ["wal"],
    predicted: "20–30 %",
    fromPercent: 20,
    untilPercent: 30,
    measuredUpstream: "5–20 %",
    phases: ["encode record", "wal write", "wal sync"],
    parts: [],
  },
  {
    id: "allocation",
    title: "allocation",
    slots: ["allocator"],
    predicted: "10–20 %",
    fromPercent: 10,
    untilPercent: 20,
    measuredUpstream: "< 1 %",
    phases: ["allocate"],
    parts: [],
  },
  {
    id: "locks",
    title: "locks",
    slots: ["locks"],
    predicted: "minimal",
    fromPercent: 0,
    untilPercent: MINIMAL_PERCENT,
    measuredUpstream: "a global lock came back under load",
    phases: ["lock wait", "lock hold"],
    parts: [],
  },
  {
    id: "block-manager",
    title: "block manager",
    slots: ["block-manager"],
    predicted: "low–medium",
    fromPercent: 0,
    untilPercent: LOW_TO_MEDIUM_PERCENT,
    measuredUpstream: "69–90 %",
    phases: ["admit", "append", "seal", "persist"],
    parts: [],
  },
];

/** What else lies between the baseline and the best composition: no suspect names it. */
export const OTHER_FIXES: readonly Fix[] = [
  { id: "label-key", title: "label keys from a trie", slots: ["label-key"] },
  { id: "record", title: "labels logged once, then refs", slots: ["record"] },
  { id: "chunk", title: "samples appended by a kernel", slots: ["chunk"] },
  { id: "open-batch", title: "open batch of single writes", slots: [], openBatch: true },
];
