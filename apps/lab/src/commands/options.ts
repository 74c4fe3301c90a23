import { Command, Option } from "@commander-js/extra-typings";
import { SLOTS } from "@varve/contracts";
import { WORKLOAD_KINDS } from "../cell/spec.ts";
import { PRESETS } from "../plan-of.ts";
import type { PresetName } from "../plan-spec.ts";
import { list, positive, whole } from "./parse.ts";

/** Modes of phase timing, as flags spell them. */
const TIMINGS = ["off", "sampled", "full"] as const;

/** What every command that runs cells takes. */
export function cellCommand(name: string, defaults: { readonly repeats: number }) {
  const command = new Command(name)
    .option("--rows <n>", "rows of a round (default: 10k, or all series of the file)", positive)
    .option(
      "--series-count <n>",
      "distinct series that updates are spread over (default: 10k)",
      positive,
    )
    .option("--series <file>", "label sets from a file: JSON lines, or Prometheus text")
    .option("--batch <n>", "rows of one writeBatch; 0 for single writes", whole, 0)
    .option(
      "--rows-per-close <n>",
      "single writes that are logged together (default: the engine's)",
      positive,
    )
    .addOption(
      new Option("--plan <name>", "plan whose other slots stay as they are")
        .choices(Object.keys(PRESETS) as PresetName[])
        .default("recommended" as const),
    )
    .option("--repeats <n>", "child processes a cell", positive, defaults.repeats)
    .option("--rounds <n>", "rounds in each, every one into a fresh store", positive, 5)
    .option("--warmup <n>", "rounds before them that do not count", whole, 2)
    .option("--latency", "also time every call, beside the noise floor", false)
    .option("--memory", "also count the bytes that a row allocates", false)
    .option("--seed <n>", "seed of the data and of the order", whole, 1)
    .option("--dir <path>", "directory for the stores: decides the file system")
    .option("--deadline <seconds>", "time that one child may take", positive, 300)
    .option("--json <file>", "write everything that was measured");
  return command;
}

/** Adds a flag for each slot: the variants that fill it. */
export function withSlotFlags<C extends { addOption(option: Option): unknown }>(command: C): C {
  for (const slot of SLOTS) {
    command.addOption(new Option(`--${slot} <names>`, `variants for ${slot}`).argParser(list));
  }
  return command;
}

/** `--workload`: kinds of rows. */
export function workloadOption() {
  return new Option("--workload <kinds>", `kinds of rows: ${WORKLOAD_KINDS.join(", ")}`).argParser(
    list,
  );
}

/** `--timing`: whether phases are timed. */
export function timingOption() {
  return new Option("--timing <mode>", "time the phases; rates count only when off")
    .choices(TIMINGS)
    .default("off" as const);
}
