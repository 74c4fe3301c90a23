import { Argument, Command } from "@commander-js/extra-typings";
import { checked, runCases, type CaseResult } from "@varve/conformance";
import { SLOTS, type Slot } from "@varve/contracts";
import { CATALOG, type VariantOptions } from "../catalog.ts";
import { slotOf, variantOf } from "../plan-of.ts";
import { environmentOf } from "../report/environment.ts";
import { checkWritable, writeJson } from "../report/json.ts";
import { table } from "../report/table.ts";
import { EXIT, oneLine, usageError } from "./failure.ts";
import { whole } from "./parse.ts";

/** What the conformance cases said about a variant. */
export interface Certification {
  readonly cases: number;
  readonly failed: readonly CaseResult[];
  readonly results: readonly CaseResult[];
}

/** Runs the conformance cases of a variant that the catalog names, through the checking decorator if asked. */
export async function certification(
  slot: Slot,
  name: string,
  settings: {
    readonly options?: VariantOptions;
    readonly seed?: number;
    readonly decorated?: boolean;
  } = {},
): Promise<Certification> {
  const { options, seed, decorated = false } = settings;
  const variant = variantOf(slot, name, options);
  const results = await runCases(decorated ? checked(variant) : variant, {
    seed,
    entry: slot === "locks" ? lockEntry(name) : undefined,
  });
  return { cases: results.length, failed: results.filter(({ passed }) => !passed), results };
}

/** Where threads find a lock's factory: file, export and name are spelled alike. */
function lockEntry(name: string): { url: string; export: string } {
  const camel = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return { url: import.meta.resolve(`@varve/locks/${name}`), export: `${camel}Locks` };
}

/** `certify [slot] [variant]`: the conformance cases, bare and with every assumption checked. */
export function certifyCommand() {
  return new Command("certify")
    .description("run the conformance cases of all variants, or of those named")
    .addArgument(new Argument("[slot]", "only this slot").choices(SLOTS))
    .argument("[variant]", "only this variant of it")
    .option("--seed <n>", "decides every random choice", whole, 1)
    .option("--verbose", "list every case, not only those that fail", false)
    .option("--json <file>", "write what became of every case")
    .addHelpText("after", EXAMPLES)
    .action(async (slotName, variantName, { seed, verbose, json }) => {
      if (json !== undefined) checkWritable(json);
      const slots = slotName === undefined ? SLOTS : [slotOf(slotName)];
      if (variantName !== undefined) variantOf(slots[0]!, variantName);
      const rows: string[][] = [];
      const report: object[] = [];
      const failures: string[] = [];
      for (const slot of slots) {
        const names = variantName === undefined ? Object.keys(CATALOG[slot]) : [variantName];
        for (const name of names) {
          const bare = await certification(slot, name, { seed });
          const decorated = await certification(slot, name, { seed, decorated: true });
          if (bare.cases === 0)
            throw usageError(`slot ${slot} has no conformance cases for ${name}`);
          process.stderr.write(`${slot} ${name}: ${score(bare)}, checked ${score(decorated)}\n`);
          rows.push([slot, name, score(bare), score(decorated), totalTime(bare, decorated)]);
          for (const [mode, each] of [["bare", bare] as const, ["checked", decorated] as const]) {
            report.push(...each.results.map((result) => ({ slot, name, mode, ...plain(result) })));
            failures.push(...each.failed.map((result) => failureLine(result, name, mode)));
          }
          if (verbose)
            for (const { id, passed } of bare.results)
              console.log(`${passed ? "ok  " : "FAIL"} ${name} ${id}`);
        }
      }
      console.log(
        table(
          [
            { head: "slot" },
            { head: "variant" },
            { head: "passed", align: "right" },
            { head: "checked", align: "right" },
            { head: "time", align: "right" },
          ],
          rows,
        ),
      );
      for (const failure of failures) console.log(`\n${failure}`);
      if (json !== undefined)
        writeJson(json, { environment: environmentOf({ seed }), cases: report });
      process.exitCode = failures.length === 0 ? EXIT.ok : EXIT.failed;
    });
}

function score({ cases, failed }: Certification): string {
  return failed.length === 0 ? `all ${cases}` : `${cases - failed.length} of ${cases}`;
}

function totalTime(...certifications: readonly Certification[]): string {
  const results = certifications.flatMap((each) => each.results);
  return `${(results.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000).toFixed(1)} s`;
}

function plain({ id, title, passed, failure, seed, durationMs }: CaseResult): object {
  return { id, title, passed, failure: failure?.message ?? null, seed, durationMs };
}

function failureLine({ id, title, seed, failure }: CaseResult, name: string, mode: string): string {
  return `${id} (${name}, ${mode}, seed ${seed}): ${title}\n  ${oneLine(failure?.message ?? "")}`;
}

const EXAMPLES = `
Examples:
  $ varve-lab certify
  $ varve-lab certify series-index
  $ varve-lab certify wal async --seed 7 --verbose`;
