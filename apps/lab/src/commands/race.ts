import { Argument, Option } from "@commander-js/extra-typings";
import { SLOTS, type Slot } from "@varve/contracts";
import pc from "picocolors";
import { CATALOG } from "../catalog.ts";
import type { CellResult } from "../cell/result.ts";
import { WORKLOAD_KINDS, type CellSpec } from "../cell/spec.ts";
import type { PlanSpec, VariantSpec } from "../plan-spec.ts";
import { basisOf } from "../report/basis.ts";
import * as format from "../report/format.ts";
import { levelLines, levelOf } from "../report/levels.ts";
import { table } from "../report/table.ts";
import { verdict } from "../stats/verdict.ts";
import { certification } from "./certify.ts";
import { EXIT, usageError } from "./failure.ts";
import {
  checkOptions,
  commonSpec,
  footer,
  measure,
  printExtras,
  printNotes,
  workloadsOf,
} from "./measure.ts";
import { cellCommand, timingOption, withSlotFlags } from "./options.ts";
import { slotFlags, variantSpec } from "./parse.ts";

/** `race <slot>`: all variants of one slot, everything else equal. */
export function raceCommand() {
  const command = withSlotFlags(cellCommand("race", { repeats: 5 }))
    .description("race the variants of one slot, in an otherwise equal plan")
    .addArgument(new Argument("<slot>", "the slot").choices(SLOTS))
    .addOption(
      new Option("--workload <kind>", "kind of rows")
        .choices(WORKLOAD_KINDS)
        .default("new" as const),
    )
    .addOption(timingOption())
    .option("--no-certify", "race without running the conformance cases first")
    .addHelpText("after", EXAMPLES);
  return command.action(async (slot, options) => {
    checkOptions(options);
    const raced: VariantSpec[] = [];
    const others: Partial<Record<Slot, VariantSpec>> = {};
    for (const [flag, texts] of slotFlags(options)) {
      const specs = texts.map((text) => variantSpec(flag, text));
      if (flag === slot) raced.push(...specs);
      else if (specs.length === 1) others[flag] = specs[0]!;
      else throw usageError(`--${flag}: a race of ${slot} takes one variant for every other slot`);
    }
    if (raced.length === 0) raced.push(...Object.keys(CATALOG[slot]).map((name) => ({ name })));
    const [workload] = await workloadsOf([options.workload], options);
    const refused = options.certify ? await refuse(slot, raced) : new Map<string, string>();
    const entrants = raced.filter((each) => !refused.has(labelOf(each)));
    if (entrants.length === 0) throw usageError(`no variant of ${slot} is left to race`);
    const specs = entrants.map((each): CellSpec => {
      const plan: PlanSpec = { base: options.plan, ...others, [slot]: each };
      return { id: labelOf(each), plan, workload: workload!, ...commonSpec(options) };
    });
    const measured = await measure(`race ${slot}`, specs, options);
    console.log(raceTable(slot, measured.results));
    printExtras(measured.results, options);
    const refusals = [...refused].map(([name, reason]) => `${name}: refused: ${reason}`);
    printNotes(legend(measured.results), refusals, footer(measured, options));
    const isRefused = refused.size > 0 && measured.exitCode === EXIT.ok;
    process.exitCode = isRefused ? EXIT.failed : measured.exitCode;
  });
}

/** The label of a variant in tables: its name, and the options that were given. */
export function labelOf({ name, options = {} }: VariantSpec): string {
  return [name, ...Object.entries(options).map(([key, value]) => `${key}=${String(value)}`)].join(
    ":",
  );
}

/** Runs the conformance cases of each variant; those that fail, with the reason. */
async function refuse(slot: Slot, raced: readonly VariantSpec[]): Promise<Map<string, string>> {
  const refused = new Map<string, string>();
  for (const each of raced) {
    const label = labelOf(each);
    const { failed, cases } = await certification(slot, each.name, { options: each.options });
    process.stderr.write(`certify ${slot} ${label}: ${cases - failed.length} of ${cases} cases\n`);
    const [first] = failed;
    if (first !== undefined) {
      refused.set(label, `fails ${failed.length} of ${cases} conformance cases, first ${first.id}`);
    } else if (cases === 0) {
      refused.set(label, "no conformance case says anything about it");
    }
  }
  return refused;
}

const COLOURS = {
  faster: pc.green,
  slower: pc.red,
  "no difference": String,
  "too few": pc.yellow,
} as const;

/** One line a variant, each beside the first that has a figure. */
function raceTable(slot: Slot, results: readonly CellResult[]): string {
  const reference = results.find(({ status }) => status === "ok");
  const rows = results.map((result) => {
    const { rate, status, spec, durability } = result;
    if (rate === null || status !== "ok") return [spec.id, pc.red(status), "", "", "", ""];
    const isReference = result === reference || reference === undefined;
    const found = isReference ? null : verdict(reference.samples, result.samples);
    const { low, high } = found?.interval ?? { low: 1, high: 1 };
    return [
      spec.id,
      format.rate(rate.median),
      `±${format.percent(rate.relative)}`,
      found === null ? "1" : `${format.ratio(found.ratio)} [${low.toFixed(2)}, ${high.toFixed(2)}]`,
      found === null ? "reference" : COLOURS[found.word](found.word),
      levelOf(durability),
    ];
  });
  return table(
    [
      { head: slot, wraps: true },
      { head: "rows/s", align: "right" },
      { head: "spread", align: "right" },
      { head: "ratio [95 %]" },
      { head: "verdict" },
      { head: "level" },
    ],
    rows,
  );
}

function legend(results: readonly CellResult[]): string[] {
  const measured = results.find(({ status }) => status === "ok");
  if (measured === undefined) return [];
  return [
    `${basisOf(results)}, to the end of the flush; ratios to ${measured.spec.id}. ` +
      "A difference within the spread, or whose interval holds 1, is no difference.",
    ...levelLines(results),
  ];
}

const EXAMPLES = `
Examples:
  $ varve-lab race series-index
  $ varve-lab race wal --workload update --repeats 9 --json wal.json
  $ varve-lab race wal --wal batched,batched:groupBytesMax=1
  $ varve-lab race series-index --series 20kseries.json --dir /mnt/ssd`;
