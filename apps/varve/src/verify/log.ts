import { nodeDisk } from "@varve/disk/node";
import { inspectLog, type LogDamage } from "@varve/wal/inspect";
import { join } from "node:path";
import { counted } from "../print/format.ts";
import { Turns } from "../store/turn.ts";
import { placeReport, type CheckContext, type Finding, type PlaceReport } from "./report.ts";

/** Checks the log from its checkpoint on, by the same judgement as recovery. */
export async function checkLog({ dir, storeId, signal, tell }: CheckContext): Promise<PlaceReport> {
  tell(() => "reading the log");
  const { pause } = new Turns(signal);
  const report = await inspectLog({ disk: nodeDisk(), dir: join(dir, "wal"), storeId, pause });
  const detail = [
    counted(report.segments.length, "segment"),
    counted(report.batches, "batch", "batches"),
    counted(report.records, "record"),
  ];
  return placeReport("log", detail.join(", "), report.damage.map(findingOf));
}

/** A torn tail that lost nothing acknowledged is what any crash leaves. */
function findingOf(damage: LogDamage): Finding {
  const isExpected = damage.isMendedAtOpen && damage.ackedDataAffected === false;
  return {
    severity: isExpected ? "note" : "damage",
    path: `${damage.file}@${damage.offset}`,
    message: damage.message,
  };
}
