import { Command, CommanderError } from "@commander-js/extra-typings";
import { EXIT, oneLine, tellFailure } from "./command-line.ts";
import { queryCommand } from "./query-command.ts";

/** Runs `pnpm run peers`: returns once the command is done, with `process.exitCode` set. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync([...argv], { from: "user" });
  } catch (error) {
    // Commander printed what there is to say; help is no failure.
    const isTold = error instanceof CommanderError;
    process.exitCode = isTold ? (error.exitCode === 0 ? EXIT.ok : EXIT.usage) : tellFailure(error);
  }
}

function program(): Command {
  const root = new Command("peers")
    .description("Holds varve against other stores: the same data, the same work, in turns.")
    .addHelpText("after", "\nExamples:\n  $ pnpm run peers query\n  $ pnpm run peers query --help");
  const query = queryCommand() as unknown as Command;
  root.addCommand(query);
  for (const command of [root, query]) {
    const path = command === root ? "pnpm run peers" : `pnpm run peers ${command.name()}`;
    command.exitOverride().configureOutput({
      outputError: (text, write) => {
        const fault = oneLine(text).replace(/^error: /, "");
        write(`peers: ${fault}${fault.endsWith(".") ? "" : `; see ${path} --help`}\n`);
      },
    });
  }
  return root;
}
