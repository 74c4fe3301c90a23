import { Command, Option } from "@commander-js/extra-typings";
import { EXIT } from "../exit.ts";
import { interruptible } from "../interrupt.ts";
import { print } from "../print/output.ts";
import { Progress } from "../print/progress.ts";
import { repair, type RepairReport } from "../repair/repair.ts";

/** `repair DIR`: sets aside what is damaged, so that the rest opens. */
export function repairCommand() {
  return new Command("repair")
    .description(
      "say what would be repaired; with --write, do it: damaged parts are moved to quarantine/",
    )
    .argument("<dir>", "the data directory")
    .option("--write", "change the directory; without it nothing is changed", false)
    .addOption(
      new Option("--log <mode>", "skip damage in the log, or end the log before it")
        .choices(["salvage", "pointInTime"] as const)
        .default("salvage" as const),
    )
    .option("--json", "print the report as JSON", false)
    .addHelpText("after", EXAMPLES)
    .action((dir, { write, log: mode, json }) =>
      interruptible(async (signal) => {
        const report = await watched(dir, { write, mode, signal });
        print({ json }, report, () => textOf(report));
        if (report.steps.length > 0 && !write) process.exitCode = EXIT.damage;
      }),
    );
}

async function watched(
  dir: string,
  options: {
    readonly write: boolean;
    readonly mode: "salvage" | "pointInTime";
    readonly signal: AbortSignal;
  },
): Promise<RepairReport> {
  using progress = new Progress();
  return await repair(dir, { ...options, onProgress: (text) => progress.update(text) });
}

function textOf({ dir, written, steps, quarantined }: RepairReport): string {
  if (steps.length === 0) return `${dir}: nothing to repair`;
  return [
    ...steps.map((step) => `${written ? "done" : "would"}  ${step}`),
    ...quarantined.map((path) => `kept  ${path}`),
    written
      ? `${dir}: repaired; varve verify says how it is now`
      : `${dir}: nothing was changed; --write does it`,
  ].join("\n");
}

const EXAMPLES = `
Exit codes: 0 nothing to repair, or repaired; 1 there is something to repair; 2 cannot tell.
Repair a copy first where the data is dear.

Examples:
  $ varve repair data
  $ varve repair data --write
  $ varve repair data --log pointInTime --write`;
