import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "@varve/bytes";
import { isStorageError } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { Broken } from "../../row.ts";
import { type Damage, damageOf, type DamageWay, type Original } from "./file.ts";

/** So many bytes of LOCK.info are damaged: it is longer by the machine's name. */
export const HOLDER_BYTES = 54;

/** Damages LOCK.info while the lock is held and after: the second opener is refused, the next one gets it. */
export function checkHolder(dir: string, way: DamageWay, index: number, random: Random): void {
  const disk = nodeDisk();
  const path = join(dir, "LOCK");
  const info = `${path}.info`;
  const lock = disk.lock(path);
  let damage: Damage;
  try {
    const bytes = Uint8Array.from(readFileSync(info));
    const spans = [{ from: 0, until: Math.min(HOLDER_BYTES, bytes.length) }];
    const original: Original = { bytes, spans, frames: [], others: [] };
    damage = damageOf(way, original, index, random);
    writeFileSync(info, damage.bytes);
    checkRefused(() => disk.lock(path), damage);
  } finally {
    lock.release();
  }
  writeFileSync(info, damage.bytes); // As a process leaves it that died.
  disk.lock(path).release();
  rmSync(info, { force: true });
}

function checkRefused(take: () => unknown, { text }: Damage): void {
  try {
    take();
  } catch (error) {
    if (isStorageError(error, "LOCKED")) return;
    throw new Broken("wrong", `${text}: refused as ${String(error)}`);
  }
  throw new Broken("wrong", `${text}: two hold the lock`);
}
