import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { list, whole } from "../peers/parse.ts";
import type { Tier } from "./row.ts";
import { ROWS } from "./rows.ts";

export interface Options {
  readonly tier: Tier;
  readonly only: readonly string[];
  readonly seed: number;
  readonly shares: number;
  readonly json: string | undefined;
  readonly again: boolean;
  readonly trial: number | undefined;
}

const TIERS: readonly string[] = ["pr", "full"] satisfies Tier[];

/** The command line of `pnpm torture`. `run` is called with what it says. */
export function tortureCommand(run: (options: Options) => Promise<void>): Command<[string]> {
  return new Command("torture")
    .description("Crashes, cuts, fills, flips and kills stores, and checks what they promise.")
    .argument("[tier]", `how much: ${TIERS.join(", ")}`, tier, "pr")
    .option("--only <rows>", "only these rows, by id or its beginning", rowIds)
    .option("--seed <n>", "seed of the first trial", whole, 1)
    .option(
      "--shares <n>",
      "processes at once: they share a row, or in the smaller tier the rows",
      whole,
      2,
    )
    .option("--json <file>", "write results after every row; rows that it has are not run again")
    .option("--again", "run rows again that the file has", false)
    .addOption(
      new Option("--trial <seed>", "run one trial of one row here, for a debugger").argParser(
        whole,
      ),
    )
    .option("--list", "name the rows, and end", false)
    .addHelpText("after", EXAMPLES)
    .action(async (tierName, { list: isList, only = ROWS.map(({ id }) => id), ...options }) => {
      if (isList) console.log(ROWS.map(({ id, title }) => `${id}\n    ${title}`).join("\n"));
      else
        await run({ ...options, json: options.json, trial: options.trial, only, tier: tierName });
    }) as unknown as Command<[string]>;
}

const EXAMPLES = `
Examples:
  $ pnpm torture
  $ pnpm torture full --json bench/results/torture.json
  $ pnpm torture full --only sim-wal --json bench/results/torture.json
  $ pnpm torture --only sim-wal-async --trial 4711`;

function tier(text: string): Tier {
  if (TIERS.includes(text)) return text as Tier;
  throw new InvalidArgumentError(`It is one of ${TIERS.join(", ")}.`);
}

function rowIds(text: string): string[] {
  return list(text).flatMap((name) => {
    const ids = ROWS.map(({ id }) => id).filter((id) => id.startsWith(name));
    if (ids.length === 0) throw new InvalidArgumentError(`No row begins with ${name}; see --list.`);
    return ids;
  });
}
