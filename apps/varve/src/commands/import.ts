import { Command, Option } from "@commander-js/extra-typings";
import { backgroundBlocks } from "@varve/block-manager/background";
import { isStorageError } from "@varve/contracts";
import { readSamples, SAMPLE_FORMATS, type ReadCounts, type SampleFormat } from "@varve/exposition";
import { open, recommended } from "varve";
import { EXIT, MalformedInput, oneLine } from "../exit.ts";
import { openInput, type Input } from "../input/open-input.ts";
import { time } from "../input/parse.ts";
import { interruptible, isAbort } from "../interrupt.ts";
import { bytes, whole } from "../print/format.ts";
import { print } from "../print/output.ts";
import { bar, Progress } from "../print/progress.ts";
import { facts } from "../print/table.ts";
import { Importer } from "../store/importer.ts";

/** Lines that are named one by one; the rest is only counted. */
const NAMED_MAX = 10;
/** Formats whose samples may come without a time: it is the one of the import then. */
const TIMELESS: ReadonlySet<SampleFormat> = new Set<SampleFormat>(["prometheus", "openmetrics"]);

/** What an import came to. */
interface ImportReport {
  readonly file: string;
  readonly dir: string;
  readonly format: SampleFormat;
  readonly lines: number;
  readonly samples: number;
  readonly accepted: number;
  readonly repeated: number;
  /** Samples that the store refused, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Malformed lines that were skipped. */
  readonly bad: number;
  readonly exemplars: number;
  readonly seconds: number;
}

/** `import FILE DIR`: samples of a text file into a data directory. */
export function importCommand() {
  return new Command("import")
    .description("read samples from a text file into a data directory")
    .argument(
      "<file>",
      "Prometheus text, OpenMetrics, CSV or JSON lines, also .gz or .zst; - for standard input",
    )
    .argument("<dir>", "the data directory; made when it does not exist")
    .addOption(new Option("--format <name>", "do not guess").choices(SAMPLE_FORMATS))
    .option(
      "--time <time>",
      "time of samples that have none (default: now, in the text formats)",
      time,
    )
    .option("--skip-bad", "count malformed lines and refused samples instead of failing", false)
    .option("--json", "print the counts as JSON", false)
    .addHelpText("after", EXAMPLES)
    .action((file, dir, options) =>
      interruptible(async (signal) => {
        const input = await openInput(file, options.format, signal);
        try {
          const report = await importInto(dir, input, options, signal);
          print(options, report, () => textOf(report));
          const isRefused = Object.keys(report.refused).length > 0;
          if (isRefused && !options.skipBad) process.exitCode = EXIT.damage;
        } finally {
          input.close();
        }
      }),
    );
}

async function importInto(
  dir: string,
  input: Input,
  options: { readonly time?: number; readonly skipBad: boolean },
  signal: AbortSignal,
): Promise<ImportReport> {
  const start = performance.now();
  const { name, format } = input;
  const defaultTime = options.time ?? (TIMELESS.has(format) ? Date.now() : undefined);
  const tell = teller(name);
  // A dump tells one series after the other: all but the first are old by the time they come.
  const plan = {
    ...recommended(),
    "block-manager": backgroundBlocks({ outOfOrderWindowMs: Number.MAX_SAFE_INTEGER }),
  };
  const store = await open({ dir, plan });
  const reader = readSamples(format, input.bytes, {
    defaultTime,
    skipBad: options.skipBad,
    onBad: tell,
  });
  using importer = new Importer(store, tell);
  try {
    using progress = new Progress();
    for await (const rows of reader) {
      if (signal.aborted) break;
      await importer.write(rows);
      progress.update(() => progressText(input, reader.counts, start));
    }
  } catch (error) {
    if (!isAbort(error)) {
      if (!isStorageError(error, "INPUT") || error.facts["line"] === undefined) throw error;
      const safe = `${whole(importer.accepted)} samples before it are imported`;
      throw new MalformedInput(`${name}:${error.message}; ${safe}; --skip-bad goes on`, error);
    }
  } finally {
    await store.close();
  }
  const { lines, samples, bad, exemplars } = reader.counts;
  const { accepted, repeated } = importer;
  const refused = Object.fromEntries(importer.refused);
  const seconds = (performance.now() - start) / 1000;
  return {
    file: name,
    dir,
    format,
    lines,
    samples,
    accepted,
    repeated,
    refused,
    bad,
    exemplars,
    seconds,
  };
}

/** Names the first lines that something is wrong with, and then says that it stops naming them. */
function teller(name: string): (bad: { line: number; column?: number; reason: string }) => void {
  let told = 0;
  return ({ line, column, reason }) => {
    told += 1;
    if (told > NAMED_MAX + 1) return;
    const where = column === undefined ? `${name}:${line}` : `${name}:${line}:${column}`;
    const text =
      told > NAMED_MAX
        ? `${name}: more lines like these are only counted`
        : `${where}: ${oneLine(reason)}`;
    process.stderr.write(`varve: ${text}\n`);
  };
}

function progressText(input: Input, counts: Readonly<ReadCounts>, start: number): string {
  const seconds = (performance.now() - start) / 1000;
  const rate = `${whole(counts.samples)} samples, ${whole(Math.round(counts.samples / seconds))}/s`;
  return input.size === undefined
    ? `${bytes(counts.bytes)}, ${rate}`
    : `${bar(input.done(), input.size)}, ${rate}`;
}

function textOf(report: ImportReport): string {
  const refused = Object.entries(report.refused).map(
    ([reason, count]) => [`refused, ${reason}`, whole(count)] as const,
  );
  const counts: (readonly [string, string])[] = [
    ["lines", whole(report.lines)],
    ["imported", whole(report.accepted)],
    ...(report.repeated > 0 ? [["there already", whole(report.repeated)] as const] : []),
    ...refused,
    ...(report.bad > 0 ? [["malformed", whole(report.bad)] as const] : []),
    ...(report.exemplars > 0 ? [["exemplars left out", whole(report.exemplars)] as const] : []),
    ["seconds", report.seconds.toFixed(1)],
  ];
  return facts(counts);
}

const EXAMPLES = `
Samples may come in any order, and older than what the store holds.
Exit codes: 0; 1 for a malformed line or refused samples; 2 when nothing could be done.

Examples:
  $ varve import scrape.prom data
  $ varve dump old | varve import - new --format prometheus
  $ varve import export.csv.gz data --skip-bad`;
