import type { PhaseName } from "@varve/engine";
import { countText, nanosText, percentText } from "../format.ts";
import type { PhaseTable } from "../report.ts";
import type { Section, TextTable } from "./section.ts";

/** Operations that are named as the longest. */
const TOP = 5;
/** Phases have to add up to the untimed total within this, in percent. */
const SUM_TOLERANCE = 10;

/** Part 2 as text. */
export function phasesSection(tables: readonly PhaseTable[]): Section {
  const single = tables.filter(({ call }) => call === "single");
  const batch = tables.filter(({ call }) => call === "batch");
  const clocks = tables.map(({ clockNs }) => clockNs);
  return {
    title: "Where the time goes",
    about: [
      "Time is charged exclusively: while a nested phase runs, the outer one stands still. Single writes are sampled; " +
        "batches of 1,000 rows are timed throughout. The sum is held against a run of the same rows without any clock. " +
        `Reading the clock costs ${nanosText(Math.min(...clocks))}–${nanosText(Math.max(...clocks))}, taken off each phase.`,
    ],
    tables: [
      phaseGrid("Single writes, time a row", single),
      memoryGrid("Single writes, memory", single),
      phaseGrid("Batches, time a row", batch),
      memoryGrid("Batches, memory", batch),
    ],
    notes: [...single.map(topNote), ...tables.filter(isOff).map(offNote)],
  };
}

function heading({ composition, rows }: PhaseTable): string {
  return `${composition}, ${rows}`;
}

function phaseGrid(caption: string, tables: readonly PhaseTable[]): TextTable {
  const names = new Set<PhaseName>(
    tables
      .flatMap(({ phases }) => phases)
      .toSorted((a, b) => b.nsPerRow - a.nsPerRow)
      .map(({ name }) => name),
  );
  const cell = (table: PhaseTable, name: PhaseName): string => {
    const found = table.phases.find((each) => each.name === name);
    return found === undefined
      ? "–"
      : `${nanosText(found.nsPerRow)} (${percentText(found.percent)})`;
  };
  return {
    caption,
    head: ["phase", ...tables.map(heading)],
    rows: [
      ...[...names].map((name) => [name, ...tables.map((table) => cell(table, name))]),
      ["sum of phases", ...tables.map(({ timedNs }) => nanosText(timedNs))],
      ["without a clock", ...tables.map(({ untimedNs }) => nanosText(untimedNs))],
      ["sum of it", ...tables.map(({ sumPercent }) => percentText(sumPercent))],
    ],
  };
}

function memoryGrid(caption: string, tables: readonly PhaseTable[]): TextTable {
  const row = (name: string, of: (table: PhaseTable) => string): string[] => [
    name,
    ...tables.map(of),
  ];
  return {
    caption,
    head: ["", ...tables.map(heading)],
    rows: [
      row("heap bytes a row", ({ heapBytesPerRow }) => countText(heapBytesPerRow)),
      row("linear memory a row", ({ linearBytesPerRow }) => countText(linearBytesPerRow)),
      row("regions acquired", ({ acquired }) => countText(acquired)),
      row("of them reused", ({ poolHits }) => countText(poolHits)),
      row("allocating", ({ allocateNs }) => nanosText(allocateNs)),
      row("collecting garbage", ({ gcNs }) => nanosText(gcNs)),
    ],
  };
}

function topNote(table: PhaseTable): string {
  const top = table.phases
    .slice(0, TOP)
    .map(({ name, percent }) => `${name} ${percentText(percent)}`)
    .join(", ");
  return `Top five of ${heading(table)}: ${top}.`;
}

function isOff({ sumPercent }: PhaseTable): boolean {
  return Math.abs(sumPercent - 100) > SUM_TOLERANCE;
}

function offNote(table: PhaseTable): string {
  const rest = table.untimedNs - table.timedNs;
  return (
    `${heading(table)}, ${table.call}: the phases come to ${percentText(table.sumPercent)} of the untimed total; ` +
    `${rest > 0 ? `${nanosText(rest)} a row are unattributed` : `timing added ${nanosText(-rest)} a row`}.`
  );
}
