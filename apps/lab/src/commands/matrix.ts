import pc from "picocolors";
import type { CellResult } from "../cell/result.ts";
import { WORKLOAD_KINDS, type CellSpec, type WorkloadKind } from "../cell/spec.ts";
import type { VariantSpec } from "../plan-spec.ts";
import { basisOf } from "../report/basis.ts";
import * as format from "../report/format.ts";
import { levelLines, levelOf } from "../report/levels.ts";
import { table } from "../report/table.ts";
import { axesOf, product, type Axis } from "./axes.ts";
import { usageError } from "./failure.ts";
import {
  checkOptions,
  commonSpec,
  footer,
  measure,
  printExtras,
  printNotes,
  workloadsOf,
  type CellOptions,
} from "./measure.ts";
import { cellCommand, timingOption, withSlotFlags, workloadOption } from "./options.ts";
import { labelOf } from "./race.ts";

/** `matrix`: every combination of the variants named. */
export function matrixCommand() {
  const command = withSlotFlags(cellCommand("matrix", { repeats: 3 }))
    .description("measure every combination of the variants named, slot by slot")
    .addOption(workloadOption())
    .addOption(timingOption())
    .addHelpText("after", EXAMPLES);
  return command.action(async (options) => {
    checkOptions(options);
    const axes = axesOf(options);
    if (axes.length === 0) {
      throw usageError("name the variants of a slot at least, such as --wal=sync,batched");
    }
    const kinds = kindsOf(options.workload ?? ["new"]);
    const workloads = await workloadsOf(kinds, options);
    const specs = workloads.flatMap((workload) =>
      product(axes).map((chosen): CellSpec => ({
        id: [...chosen.map(([, variant]) => labelOf(variant)), workload.kind].join(" "),
        plan: { base: options.plan, ...Object.fromEntries(chosen) },
        workload,
        ...commonSpec(options),
      })),
    );
    const measured = await measure(`matrix of ${specs.length} cells`, specs, options);
    const { results } = measured;
    console.log(matrixTable(axes, results));
    printExtras(results, options);
    printNotes(legend(results, options), levelLines(results), footer(measured, options));
    process.exitCode = measured.exitCode;
  });
}

function kindsOf(texts: readonly string[]): WorkloadKind[] {
  return texts.map((text) => {
    const kind = WORKLOAD_KINDS.find((each) => each === text);
    if (kind !== undefined) return kind;
    throw usageError(`there is no workload "${text}": take some of ${WORKLOAD_KINDS.join(", ")}`);
  });
}

function matrixTable(axes: readonly Axis[], results: readonly CellResult[]): string {
  const rows = results.map(({ spec, status, rate, acceptedRate, durability }) => {
    const names = axes.map(({ slot }) => labelOf(spec.plan[slot] as VariantSpec));
    const { kind } = spec.workload;
    if (status !== "ok" || rate === null) return [...names, kind, pc.red(status), "", "", ""];
    return [
      ...names,
      kind,
      format.rate(rate.median),
      `±${format.percent(rate.relative)}`,
      format.rate(acceptedRate!.median),
      levelOf(durability),
    ];
  });
  return table(
    [
      ...axes.map(({ slot }) => ({ head: slot, wraps: true })),
      { head: "rows", wraps: true },
      { head: "rows/s", align: "right" },
      { head: "spread", align: "right" },
      { head: "accepted", align: "right" },
      { head: "level" },
    ],
    rows,
  );
}

function legend(results: readonly CellResult[], { plan }: CellOptions): string[] {
  if (!results.some(({ status }) => status === "ok")) return [];
  return [
    `${basisOf(results)}, spread as 1.4826 × MAD (half the range of fewer than 5); other slots as in the plan ${plan}.`,
    "rows/s counts to the end of the flush, accepted to the return of the last call.",
  ];
}

const EXAMPLES = `
Examples:
  $ varve-lab matrix --series-index=map,open-addressed,lmdb --wal=sync,batched,async
  $ varve-lab matrix --wal=batched,async --workload new,update --json m.json
  $ varve-lab matrix --allocator=heap,slab --plan seed --rows-per-close 1`;
