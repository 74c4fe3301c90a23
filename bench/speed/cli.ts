import { CommanderError } from "@commander-js/extra-typings";
import { EXIT, oneLine, tellFailure } from "../peers/command-line.ts";
import { speedCommand } from "./command.ts";

const NAME = "bench:speed";

/** Runs `pnpm bench:speed`: returns once it is done, with `process.exitCode` set. */
export async function main(argv: readonly string[]): Promise<void> {
  const command = speedCommand();
  command.exitOverride().configureOutput({
    outputError: (text, write) => {
      const fault = oneLine(text).replace(/^error: /, "");
      write(`${NAME}: ${fault}${fault.endsWith(".") ? "" : `; see pnpm ${NAME} --help`}\n`);
    },
  });
  try {
    await command.parseAsync([...argv], { from: "user" });
  } catch (error) {
    // Commander printed what there is to say; help is no failure.
    const isTold = error instanceof CommanderError;
    const code = isTold ? (error.exitCode === 0 ? EXIT.ok : EXIT.usage) : tellFailure(error, NAME);
    process.exitCode = code;
  }
}
