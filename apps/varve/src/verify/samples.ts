import { isStorageError } from "@varve/contracts";
import { counted, whole } from "../print/format.ts";
import { openToRead } from "../store/open.ts";
import { placeReport, type CheckContext, type Finding, type PlaceReport } from "./report.ts";

/**
 * Opens the store in memory and reads every sample of it as a query would: `sealed/`, and what the log tells, included.
 * Where log or blocks are damaged there is nothing to open.
 */
export async function checkSamples(context: CheckContext): Promise<PlaceReport> {
  const damaged = context.before.filter(({ state }) => state !== "clean");
  if (damaged.length > 0) {
    const places = damaged.map(({ place }) => place).join(" and ");
    return {
      place: "samples",
      state: "unchecked",
      detail: `not read, because of ${places}`,
      findings: [],
    };
  }
  const findings: Finding[] = [];
  let [series, samples] = [0, 0];
  await using store = await openToRead(context.dir);
  const { sealed, samplesOrphaned } = store.recovery;
  if (sealed.damaged > 0) {
    findings.push(
      damage(
        `${context.dir}/sealed`,
        `${counted(sealed.damaged, "stretch", "stretches")} of chunks lost to damage`,
      ),
    );
  }
  if (samplesOrphaned > 0) {
    findings.push(
      damage(
        `${context.dir}/wal`,
        `${counted(samplesOrphaned, "sample")} of series that the log never named`,
      ),
    );
  }
  try {
    for await (const each of store.select([], { signal: context.signal })) {
      series += 1;
      samples += each.times.length;
      context.tell(() => `read ${whole(samples)} samples of ${whole(series)} series`);
    }
  } catch (error) {
    if (!isStorageError(error, "BLOCK_CORRUPT")) throw error;
    findings.push(damage(String(error.facts["path"] ?? context.dir), error.message));
  }
  const detail = `${counted(samples, "sample")} of ${whole(series)} series read`;
  return placeReport("samples", detail, findings);
}

function damage(path: string, message: string): Finding {
  return { severity: "damage", path, message };
}
