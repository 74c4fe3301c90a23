import { Command, CommanderError } from "@commander-js/extra-typings";
import { EXIT, oneLine, tellFailure } from "./command-line.ts";
import { ingestCommand } from "./ingest/command.ts";
import { queryCommand } from "./query-command.ts";

/** Runs `pnpm run peers`: returns once the command is done, with `process.exitCode` set. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync(withCommand(argv), { from: "user" });
  } catch (error) {
    // Commander printed what there is to say; help is no failure.
    const isTold = error instanceof CommanderError;
    process.exitCode = isTold ? (error.exitCode === 0 ? EXIT.ok : EXIT.usage) : tellFailure(error);
  }
}

/** `ingest` where no command is named. Help is the whole program's then. */
function withCommand(argv: readonly string[]): string[] {
  const [first] = argv;
  const isNamed = first !== undefined && (!first.startsWith("-") || /^(-h|--help)$/.test(first));
  return isNamed ? [...argv] : ["ingest", ...argv];
}

function program(): Command {
  const root = new Command("peers")
    .description("Holds varve against other stores: the same data, the same work, in turns.")
    .usage("[ingest|query] [options]")
    .addHelpText("after", EXAMPLES);
  const commands = [ingestCommand() as unknown as Command, queryCommand() as unknown as Command];
  for (const command of commands) root.addCommand(command);
  for (const command of [root, ...commands]) {
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

const EXAMPLES = `
Without a command, ingest is run.

Examples:
  $ pnpm run peers --only ref-ingest --series 20kseries.json
  $ pnpm run peers ingest --help
  $ pnpm run peers query
  $ pnpm run peers query --help`;
