import type { Matcher } from "@varve/contracts";
import type { Parts } from "./parts.ts";
import { TombstoneRecord } from "./records.ts";
import type { Writer } from "./writer.ts";

/** How many series a deletion touched, by where their samples were. */
export interface Deletion {
  /** In memory and `sealed/`. */
  readonly head: number;
  /** In blocks: a series counts once a block. */
  readonly blocks: number;
}

/**
 * Deletes samples with from <= time < until of the series that the matchers select. Outside of blocks they go in this
 * turn, as one atomic batch of the log; in blocks through tombstones, block by block. All is durable when it resolves.
 */
export async function deleteSamples(
  parts: Parts,
  writer: Writer,
  matchers: readonly Matcher[],
  from: number,
  until: number,
): Promise<Deletion> {
  const { blocks, wal, postings } = parts;
  using _rest = await blocks.rest(); // A cut under way has copied what is about to go.
  writer.close();
  const refs = postings.select(matchers);
  const hits: number[] = [];
  const span = new Float64Array(2);
  const record = new TombstoneRecord(wal.buffer);
  for (const ref of refs) {
    if (!blocks.span(ref, from, until, span)) continue;
    record.add(ref, span[0]!, span[1]!);
    hits.push(ref, span[0]!, span[1]!);
  }
  record.end();
  const lsn = wal.append(); // Nothing is hidden when the log refuses.
  for (let i = 0; i < hits.length; i += 3) blocks.hide(hits[i]!, hits[i + 1]!, hits[i + 2]!, lsn);
  await wal.commit();
  const touched = await blocks.deleteStored(matchers, from, until);
  return { head: hits.length / 3, blocks: touched };
}
