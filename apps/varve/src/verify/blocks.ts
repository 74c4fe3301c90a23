import { basename } from "node:path";
import { counted, whole } from "../print/format.ts";
import { blockDirsOf } from "../store/block.ts";
import { Turns } from "../store/turn.ts";
import { checkBlock } from "./check-block.ts";
import { placeReport, type CheckContext, type Finding, type PlaceReport } from "./report.ts";

/** Checks every block of a store. */
export async function checkBlocks({ dir, signal, tell }: CheckContext): Promise<PlaceReport> {
  const findings: Finding[] = [];
  const dirs = blockDirsOf(dir);
  const turns = new Turns(signal);
  let samples = 0;
  for (const [at, each] of dirs.entries()) {
    const done = samples;
    const check = await checkBlock(each, () => {
      tell(
        () =>
          `block ${basename(each)}, ${at + 1} of ${dirs.length}; ${whole(done)} samples before it`,
      );
      return turns.pause();
    });
    samples += check.samples;
    findings.push(...check.findings);
  }
  const detail = `${counted(dirs.length, "block")}, ${counted(samples, "sample")}`;
  return placeReport("blocks", detail, findings);
}
