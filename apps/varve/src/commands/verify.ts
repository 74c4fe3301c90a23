import { Command } from "@commander-js/extra-typings";
import pc from "picocolors";
import { EXIT, oneLine } from "../exit.ts";
import { interruptible } from "../interrupt.ts";
import { print } from "../print/output.ts";
import { Progress } from "../print/progress.ts";
import { table } from "../print/table.ts";
import type { PlaceReport, VerifyReport } from "../verify/report.ts";
import { verify } from "../verify/verify.ts";

const CODES = { clean: EXIT.ok, damage: EXIT.damage, unknown: EXIT.cannot } as const;
const WORDS = {
  clean: pc.green("clean"),
  damage: pc.red("damage"),
  unchecked: pc.yellow("unchecked"),
};
const VERDICTS = {
  clean: "clean",
  damage: "damaged; varve repair says what can be done",
  unknown: "cannot tell: not everything could be checked",
};

/** `verify DIR`: whether a data directory is sound. */
export function verifyCommand() {
  return new Command("verify")
    .description("check every byte of a data directory; changes nothing")
    .argument("<dir>", "the data directory")
    .option("--json", "print the report as JSON", false)
    .addHelpText("after", EXAMPLES)
    .action((dir, options) =>
      interruptible(async (signal) => {
        const report = await watched(dir, signal);
        print(options, report, () => textOf(report));
        process.exitCode = CODES[report.verdict];
      }),
    );
}

async function watched(dir: string, signal: AbortSignal): Promise<VerifyReport> {
  using progress = new Progress();
  return await verify(dir, { signal, onProgress: (text) => progress.update(text) });
}

function textOf({ dir, verdict, places }: VerifyReport): string {
  const rows = places.map(({ place, state, detail }) => [place, WORDS[state], oneLine(detail)]);
  return [
    table([{ head: "place" }, { head: "state" }, { head: "what" }], rows),
    ...places.flatMap(findingLines),
    `${dir}: ${VERDICTS[verdict]}`,
  ].join("\n");
}

function findingLines({ findings }: PlaceReport): string[] {
  return findings.map(({ severity, path, message }) => {
    const word = severity === "damage" ? pc.red("damage") : pc.dim("note");
    return `${word}  ${path}: ${oneLine(message)}`;
  });
}

const EXAMPLES = `
Exit codes: 0 clean, 1 damage, 2 cannot tell.

Examples:
  $ varve verify /var/lib/metrics
  $ varve verify data --json | jq .verdict`;
