import { readSamples } from "@varve/exposition";
import { openInput } from "../input/open-input.ts";
import { timeOrDash, whole } from "../print/format.ts";
import { Progress } from "../print/progress.ts";
import { facts } from "../print/table.ts";
import type { Inspected } from "./inspected.ts";

/** Reads a text file of samples, past malformed lines. Throws INPUT when it is none. */
export async function inspectText(file: string, signal: AbortSignal): Promise<Inspected> {
  const input = await openInput(file, undefined, signal);
  const reader = readSamples(input.format, input.bytes, { defaultTime: Number.NaN, skipBad: true });
  let [firstTime, lastTime] = [Infinity, -Infinity];
  using progress = new Progress();
  for await (const rows of reader) {
    for (let i = 0; i < rows.length; i += 1) {
      const time = rows.times[i]!;
      if (time < firstTime) firstTime = time;
      if (time > lastTime) lastTime = time;
    }
    progress.update(() => `${whole(reader.counts.samples)} samples`);
  }
  const { lines, samples, bad, exemplars } = reader.counts;
  const times =
    firstTime <= lastTime ? { firstTime, lastTime } : { firstTime: null, lastTime: null };
  const value = {
    kind: "text",
    file,
    format: input.format,
    lines,
    samples,
    bad,
    exemplars,
    ...times,
  };
  return {
    value,
    text: () =>
      facts([
        ["file", file],
        ["format", input.format],
        ["lines", whole(lines)],
        ["samples", whole(samples)],
        ["malformed", whole(bad)],
        ["from", timeOrDash(firstTime)],
        ["to", timeOrDash(lastTime)],
      ]),
  };
}
