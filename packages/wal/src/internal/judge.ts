import type { Descriptor, Disk } from "@varve/contracts";
import type { Evidence, Fault } from "./damage.ts";
import { SEGMENT_HEAD_BYTES } from "./layout.ts";
import { BELIEVE_ALL, DAMAGE, FILE_END, LANDED } from "./scan-events.ts";
import { Scan } from "./scan.ts";

/** Where a scan met damage. */
export interface Finding {
  readonly disk: Disk;
  readonly storeId: Uint8Array;
  readonly path: string;
  readonly segment: number;
  readonly fd: Descriptor;
  /** No later segment exists. */
  readonly isLast: boolean;
  /** The file ended too early, rather than that something in it is wrong. */
  readonly atEnd: boolean;
}

/** What is to be thought of damage. */
export interface Verdict {
  readonly fault: Fault;
  readonly evidence: Evidence;
  /** A write that a crash interrupted explains it: nothing shows that more was ever durable. */
  readonly isTorn: boolean;
}

/** Tells a torn tail from damage to what was acknowledged. Reads on behind the damage, and changes nothing. */
export function judge(scan: Scan, finding: Finding): Verdict {
  const { segment, atEnd } = finding;
  const fault = {
    segment,
    kind: atEnd ? "length" : scan.faultKind,
    text: atEnd ? endText(scan) : scan.faultText,
    offset: atEnd ? scan.good : scan.faultOffset,
    lsnExpected: scan.lsn + 1,
  } as const;
  const evidence = lookAhead(scan, finding);
  // A segment's first record was durable before anything followed it.
  const isHeadLost = !scan.hasHead && scan.reader.size > SEGMENT_HEAD_BYTES;
  const isTorn = finding.isLast && !isHeadLost && evidence.durable < fault.lsnExpected;
  return { fault, evidence, isTorn };
}

function endText(scan: Scan): string {
  if (!scan.hasHead) return "the segment is empty";
  return scan.isOpen ? "the log ends within a batch" : "zeros follow the last batch";
}

/** Reads on behind the damage, to learn what was durable when it was written. */
function lookAhead(found: Scan, finding: Finding): Evidence {
  const known = found.lsn;
  const scan = new Scan(finding);
  scan.open(finding.fd, finding.path, BELIEVE_ALL);
  let firstLsn = 0;
  let lastLsn = 0;
  for (let event = scan.next(); event !== FILE_END; event = scan.next()) {
    if (event === DAMAGE) scan.drift();
    else if (scan.lsn > known) {
      if (firstLsn === 0 && event !== LANDED) firstLsn = scan.lsn;
      lastLsn = scan.lsn;
    }
  }
  return { durable: scan.durableSeen, firstLsn, lastLsn };
}
