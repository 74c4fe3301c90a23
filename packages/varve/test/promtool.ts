import { spawnSync } from "node:child_process";
import { selector } from "@varve/matcher-re2js";
import { expect } from "vitest";
import { bitsOf, type Content, nameOf } from "./helpers.ts";

const version = spawnSync("prometheus", ["--version"], { encoding: "utf8" });

/** Whether Debian's package is there, with the server and promtool. */
export const HAS_PROMETHEUS =
  version.status === 0 && spawnSync("promtool", ["--version"]).status === 0;

/** For the title of a test that is skipped without Prometheus. */
export const PROMETHEUS_MISSING = HAS_PROMETHEUS
  ? ""
  : " (skipped: Debian's prometheus is not installed, no independent judge)";

/** Prometheus 3 lets ranges begin behind their first moment, and dots match newlines: selectors are judged by 2. */
export const HAS_PROMETHEUS_2 =
  HAS_PROMETHEUS && /version 2\./.test(version.stdout + version.stderr);

/** For the title of a test that is skipped without Prometheus 2. */
export const PROMETHEUS_2_MISSING = HAS_PROMETHEUS_2
  ? ""
  : " (skipped: no Prometheus 2 is installed, whose rules our selectors follow)";

/** Runs promtool, and answers what it prints. Fails with what it says besides. */
export function promtool(...args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync("promtool", args, {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  expect(stderr.replace(/^.*level=(info|debug).*$/gm, "").trim()).toBe("");
  expect(status).toBe(0);
  return stdout;
}

/** What `promtool tsdb dump` prints of a directory, in its order: `{labels} value time` a line. */
export function dumped(dir: string): Content {
  const content: Content = new Map();
  const names = new Map<string, string>();
  for (const line of promtool("tsdb", "dump", dir).trimEnd().split("\n")) {
    const match = /^(\{.*\}) (\S+) (-?\d+)$/.exec(line);
    if (match === null) throw new Error(`a line of samples, got ${JSON.stringify(line)}`);
    const text = match[1]!;
    let name = names.get(text);
    if (name === undefined) {
      // Labels are printed as a selector has them, in Go's quotes.
      name = nameOf(Object.fromEntries(selector(text).map((each) => [each.name, each.value])));
      names.set(text, name);
    }
    if (!content.has(name)) content.set(name, []);
    content.get(name)!.push([Number(match[3]), printedBits(match[2]!)]);
  }
  return content;
}

/** The bits of a number that Go has printed. All kinds of NaN look the same. */
export function printedBits(text: string): string {
  return text === "NaN" ? text : bitsOf(Number(text.replace("Inf", "Infinity")));
}

/** Bits of Prometheus' stale marker, and of its ordinary NaN. */
export const STALE_BITS = "7ff0000000000002";
export const NAN_BITS = "7ff8000000000001";

/** Content as promtool tells it: every NaN is just that. */
export function asPrinted(content: Content): Content {
  return mapSamples(content, (samples) =>
    samples.map(([time, bits]) => [time, isNaNBits(bits) ? "NaN" : bits]),
  );
}

/** Content as a query tells it: stale markers end a series, and are no samples. */
export function asQueried(content: Content): Content {
  return asPrinted(
    mapSamples(content, (samples) => samples.filter(([, bits]) => bits !== STALE_BITS)),
  );
}

type Samples = [time: number, bits: string][];

function mapSamples(content: Content, change: (samples: Samples) => Samples): Content {
  const changed = [...content].map(([name, samples]): [string, Samples] => [name, change(samples)]);
  return new Map(changed.filter(([, samples]) => samples.length > 0));
}

function isNaNBits(bits: string): boolean {
  return Number.isNaN(new Float64Array(BigUint64Array.of(BigInt(`0x${bits}`)).buffer)[0]);
}
