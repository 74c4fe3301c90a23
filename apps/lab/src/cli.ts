import { Command, CommanderError } from "@commander-js/extra-typings";
import { certifyCommand } from "./commands/certify.ts";
import { EXIT, oneLine, tellFailure } from "./commands/failure.ts";
import { listCommand } from "./commands/list.ts";
import { matrixCommand } from "./commands/matrix.ts";
import { queryCommand } from "./commands/query.ts";
import { raceCommand } from "./commands/race.ts";
import { seamCommand } from "./commands/seam.ts";
import { findingsCommand, seedCommand } from "./commands/seed.ts";
import { ownVersion } from "./report/environment.ts";

/** Runs the lab as a program: returns once the command is done, with `process.exitCode` set. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander printed what there is to say; help and version are no failures.
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
      return;
    }
    process.exitCode = tellFailure(error);
  }
}

function program(): Command {
  const root = new Command("varve-lab")
    .description("Swaps one storage part at a time and measures what it buys.")
    .version(ownVersion())
    .addHelpText("after", EXAMPLES);
  const commands: readonly Command[] = [
    listCommand() as unknown as Command,
    certifyCommand() as unknown as Command,
    raceCommand() as unknown as Command,
    matrixCommand() as unknown as Command,
    queryCommand() as unknown as Command,
    seamCommand() as unknown as Command,
    seedCommand() as unknown as Command,
    findingsCommand() as unknown as Command,
  ];
  for (const command of commands) root.addCommand(command);
  for (const command of [root, ...commands]) {
    const path = command === root ? "varve-lab" : `varve-lab ${command.name()}`;
    command.exitOverride().configureOutput({
      outputError: (text, write) => {
        const fault = oneLine(text).replace(/^error: /, "");
        // What names the choices ends as a sentence; the rest needs a way on.
        write(`varve-lab: ${fault}${fault.endsWith(".") ? "" : `; see ${path} --help`}\n`);
      },
    });
  }
  return root;
}

const EXAMPLES = `
Examples:
  $ varve-lab list
  $ varve-lab seed --json out.json
  $ varve-lab race series-index
  $ varve-lab matrix --series-index=map,open-addressed --wal=sync,batched`;
