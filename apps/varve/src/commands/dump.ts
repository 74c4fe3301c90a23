import { Command, Option } from "@commander-js/extra-typings";
import { SAMPLE_FORMATS, writeSamples, type SeriesSamples } from "@varve/exposition";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { checkRange, matchersOf } from "../input/select.ts";
import { time } from "../input/parse.ts";
import { interruptible } from "../interrupt.ts";
import { whole } from "../print/format.ts";
import { writeOut } from "../print/output.ts";
import { Progress } from "../print/progress.ts";
import { openToRead } from "../store/open.ts";
import { pathError } from "../store/place.ts";

/** `dump DIR`: samples as text. */
export function dumpCommand() {
  return new Command("dump")
    .description("print samples as text, series by series")
    .argument("<dir>", "the data directory")
    .option("--match <selector>", "only these series", "{}")
    .option("--from <time>", "samples from this time on: ms, RFC 3339 or now-2h", time)
    .option("--until <time>", "samples before this time", time)
    .addOption(
      new Option("--format <name>", "csv and jsonl keep every bit; the others need names")
        .choices(SAMPLE_FORMATS)
        .default("prometheus" as const),
    )
    .option("--output <file>", "write a new file instead of standard output")
    .addHelpText("after", EXAMPLES)
    .action((dir, options) =>
      interruptible(async (signal) => {
        checkRange(options);
        const matchers = matchersOf("--match", options.match);
        await using store = await openToRead(dir);
        const { from, until, format, output } = options;
        using progress = new Progress();
        const selection = store.select(matchers, { from, until, signal });
        const pieces = writeSamples(format, counting(selection, progress));
        await writeAll(pieces, output);
      }),
    );
}

async function* counting(
  series: AsyncIterable<SeriesSamples>,
  progress: Progress,
): AsyncGenerator<SeriesSamples> {
  let [count, samples] = [0, 0];
  for await (const each of series) {
    count += 1;
    samples += each.times.length;
    progress.update(() => `${whole(samples)} samples of ${whole(count)} series`);
    yield each;
  }
}

async function writeAll(pieces: AsyncIterable<string>, output: string | undefined): Promise<void> {
  if (output === undefined) {
    for await (const piece of pieces) await writeOut(process.stdout, piece);
    return;
  }
  const file = createWriteStream(output, { flags: "wx", mode: 0o600 });
  const failed = new Promise<never>((_, reject) => file.once("error", reject));
  failed.catch(() => undefined); // Told below, if anybody waits.
  try {
    for await (const piece of pieces) await Promise.race([writeOut(file, piece), failed]);
    file.end();
    await finished(file);
  } catch (cause) {
    file.destroy();
    throw (cause as NodeJS.ErrnoException).syscall === undefined ? cause : pathError(output, cause);
  }
}

const EXAMPLES = `
Examples:
  $ varve dump data
  $ varve dump data --match 'cpu{host=~"web.*"}' --from now-2h --format csv
  $ varve dump data --format openmetrics --output out.om`;
