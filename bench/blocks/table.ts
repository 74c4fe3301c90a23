import { type Environment, environmentLines } from "../environment.ts";
import type { Pauses } from "./pauses.ts";
import type { Results, Spread } from "./results.ts";

/** A figure, what it is of, and what it should be. */
interface Line {
  readonly work: string;
  readonly figure: string;
  readonly value: string;
  readonly target: string;
}

const EXTRA_BYTES_MAX = 256 * 2 ** 20;
const SAMPLES_PER_SECOND_MIN = 10e6;
const SELECT_P99_MS_MAX = 1;
const RSS_GROWTH_MAX = 0.1;
const PAUSE_MS_MAX = 20;

/** Results as lines of text. Targets that were missed say so. */
export function tableOf(results: Results, environment: Environment): string {
  const lines = [
    ...writeLines(results),
    ...decodeLines(results),
    ...selectLines(results),
    ...churnLines(results),
  ];
  const keys = ["work", "figure", "value", "target"] as const;
  const widths = keys.map((key) => Math.max(...lines.map((line) => line[key].length), key.length));
  const format = (line: Line): string =>
    keys
      .map((key, i) => line[key].padEnd(widths[i]!))
      .join("  ")
      .trimEnd();
  const head = { work: "work", figure: "figure", value: "value", target: "target" };
  return [...[head, ...lines].map(format), "", ...environmentLines(environment)].join("\n");
}

function writeLines({ write }: Results): Line[] {
  if (write === undefined) return [];
  const { series, samples, bytes, seconds, rssBefore, rssPeak, extraBytes } = write;
  const block = `${series} series, ${samples} samples, ${mib(bytes)}`;
  return [
    { work: "write", figure: "block", value: block, target: "" },
    { work: "write", figure: "time", value: `${seconds.toFixed(1)} s`, target: "" },
    {
      work: "write",
      figure: "peak extra memory",
      value: `${mib(extraBytes)} (${mib(rssBefore)} to ${mib(rssPeak)})`,
      target: judged(extraBytes < EXTRA_BYTES_MAX, `< ${mib(EXTRA_BYTES_MAX)}`),
    },
  ];
}

function decodeLines({ decode = [] }: Results): Line[] {
  return decode.flatMap((each) => {
    const { values, bytesPerSample, samplesPerSecond, codecSamplesPerSecond } = each;
    const isMet = samplesPerSecond.median >= SAMPLES_PER_SECOND_MIN;
    const figure = `${values}, ${bytesPerSample.toFixed(2)} B/sample`;
    return [
      {
        work: "decode",
        figure,
        value: rate(samplesPerSecond),
        target: judged(isMet, ">= 10.0 M/s"),
      },
      {
        work: "decode",
        figure: `${values}, the codec alone`,
        value: rate(codecSamplesPerSecond),
        target: "",
      },
    ];
  });
}

function selectLines({ select = [] }: Results): Line[] {
  return select.flatMap(({ labels, series, p50Ms, p99Ms, maxMs, hits }) => {
    const figure = (name: string): string => `${labels}: ${series} series, ${name}`;
    const target = judged(p99Ms.median < SELECT_P99_MS_MAX, `< ${SELECT_P99_MS_MAX} ms`);
    const pages = `${(hits * 100).toFixed(0)} %`;
    return [
      { work: "select", figure: figure("P50"), value: time(p50Ms), target: "" },
      { work: "select", figure: figure("P99"), value: time(p99Ms), target },
      { work: "select", figure: figure("max"), value: time(maxMs), target: "" },
      { work: "select", figure: figure("pages in cache"), value: pages, target: "" },
    ];
  });
}

function churnLines({ churn, idle }: Results): Line[] {
  const lines: Line[] = [];
  if (churn !== undefined) {
    for (const { round, rss, seconds, series, blocks, pauses } of churn.rounds) {
      const longest = `${pauses.maxMs.toFixed(1)} ms, computed ${pauses.computedMaxMs.toFixed(1)} ms`;
      const held = `${series} series, ${blocks} blocks, longest pause ${longest}`;
      const value = `RSS ${mib(rss)}, ${seconds.toFixed(1)} s, ${held}`;
      lines.push({ work: "churn", figure: `round ${round}`, value, target: "" });
    }
    const isFlat = Math.abs(churn.rssRatio - 1) <= RSS_GROWTH_MAX;
    lines.push(
      {
        work: "churn",
        figure: "RSS, last round to fifth",
        value: churn.rssRatio.toFixed(3),
        target: judged(isFlat, "within 10 %"),
      },
      {
        work: "churn",
        figure: "the same beside V8's heap",
        value: churn.ratioBesideHeap.toFixed(3),
        target: "",
      },
      {
        work: "churn",
        figure: "series dropped",
        value: String(churn.seriesDropped),
        target: "",
      },
      {
        work: "churn",
        figure: "pauses",
        value: pausesText(churn.pauses),
        target: judged(churn.pauses.maxMs <= PAUSE_MS_MAX, `max <= ${PAUSE_MS_MAX} ms`),
      },
    );
  }
  if (idle !== undefined) {
    const value = pausesText(idle);
    lines.push({ work: "idle", figure: "pauses of a process at rest", value, target: "" });
  }
  return lines;
}

function pausesText(pauses: Pauses): string {
  const text = (name: string, ms: number): string => `${name} ${ms.toFixed(1)}`;
  const waited = [
    text("P50", pauses.p50Ms),
    text("P99", pauses.p99Ms),
    text("P99.9", pauses.p999Ms),
    text("max", pauses.maxMs),
  ];
  const parts = [
    text("computed", pauses.computedMaxMs),
    text("GC", pauses.gcMaxMs),
    text("batch", pauses.writeMaxMs),
  ];
  return `${waited.join(", ")} ms; at most: ${parts.join(", ")} ms`;
}

function judged(isMet: boolean, target: string): string {
  return isMet ? target : `${target}: MISSED`;
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function rate({ median, min, max }: Spread): string {
  const m = (n: number): string => (n / 1e6).toFixed(1);
  return `${m(median)} M/s (${m(min)} to ${m(max)})`;
}

function time({ median, min, max }: Spread): string {
  return `${median.toFixed(3)} ms (${min.toFixed(3)} to ${max.toFixed(3)})`;
}
