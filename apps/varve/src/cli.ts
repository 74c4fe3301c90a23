import { Command, CommanderError } from "@commander-js/extra-typings";
import { readFileSync } from "node:fs";
import { dumpCommand } from "./commands/dump.ts";
import { exportBlocksCommand } from "./commands/export-blocks.ts";
import { importCommand } from "./commands/import.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { queryCommand } from "./commands/query.ts";
import { repairCommand } from "./commands/repair.ts";
import { statsCommand } from "./commands/stats.ts";
import { verifyCommand } from "./commands/verify.ts";
import { EXIT, oneLine, tellFailure } from "./exit.ts";
import { endWithReader } from "./print/output.ts";

/** Runs `varve` as a program: returns once the command is done, with `process.exitCode` set. */
export async function main(argv: readonly string[]): Promise<void> {
  endWithReader();
  try {
    await program().parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander printed what there is to say; help and version are no failures.
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.cannot;
      return;
    }
    process.exitCode = tellFailure(error);
  }
}

function program(): Command {
  const root = new Command("varve")
    .description(
      "Looks into a varve data directory, verifies and repairs it, and moves samples in and out.",
    )
    .version(ownVersion())
    .addHelpText("after", EXAMPLES);
  const commands = [
    inspectCommand(),
    verifyCommand(),
    repairCommand(),
    dumpCommand(),
    importCommand(),
    exportBlocksCommand(),
    statsCommand(),
    queryCommand(),
  ] as unknown as readonly Command[];
  for (const command of commands) root.addCommand(command);
  for (const command of [root, ...commands]) {
    const path = command === root ? "varve" : `varve ${command.name()}`;
    command.exitOverride().configureOutput({
      outputError: (text, write) => {
        const fault = oneLine(text).replace(/^error: /, "");
        // What names the choices ends as a sentence; the rest needs a way on.
        write(`varve: ${fault}${fault.endsWith(".") ? "" : `; see ${path} --help`}\n`);
      },
    });
  }
  return root;
}

function ownVersion(): string {
  const path = new URL("../package.json", import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

const EXAMPLES = `
Examples:
  $ varve inspect data
  $ varve verify data
  $ varve import scrape.prom data
  $ varve query data 'up{job="api"}' --from now-1h`;
