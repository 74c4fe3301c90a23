import { isStorageError } from "@varve/contracts";
import { readAll } from "@varve/disk/transfer";
import type { Engine } from "varve";
import { Broken } from "../../row.ts";
import type { Damage } from "./file.ts";
import {
  type GoodStore,
  type Missing,
  openStore,
  type Place,
  putFile,
  type StoreContent,
  writeNew,
} from "./store.ts";

/** Where nothing is missing, a store is gone on with for one byte in so many. */
const GO_ON_EVERY = 4;

/** A file of a good store, and what damage to it may cost. */
export interface Target {
  readonly path: string;
  /** Rows of these places may be missing, if that is told. */
  readonly mayLose: readonly Place[];
  /** It is asked which windows a query reaches. */
  readonly isByWindow?: boolean;
}

/**
 * Opens a store with a damaged file, in the default mode: it is refused with a typed error, reading throws one, all rows
 * are there, or those that only the damaged file held are missing and the store says so. Then it goes on.
 */
export async function checkStore(good: GoodStore, target: Target, damage: Damage): Promise<void> {
  const disk = good.disk.image("nothing");
  putFile(disk, target.path, damage.bytes);
  let store: Engine;
  try {
    store = await openStore(disk, good.plan);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const isUntouched = Buffer.compare(readAll(disk, target.path), damage.bytes) === 0;
    if (!isUntouched) throw new Broken("wrong", `it was refused and changed: ${error.message}`);
    return;
  }
  const missing = await read(store, good.content, "once it is opened", target.isByWindow);
  if (missing !== null) checkTold(store, missing, target);
  const isWhole = missing !== null && missing.size === 0;
  if (isWhole && damage.from % GO_ON_EVERY !== 0) {
    await store.close();
    return;
  }
  const content = good.content.copy();
  writeNew(store, content);
  await store.flush();
  await store.close();
  const again = await openStore(disk.image("nothing"), good.plan);
  const after = await read(again, content, "after a close", target.isByWindow);
  await again.close();
  if (missing === null) return;
  if (after === null) throw new Broken("wrong", "what could be read cannot be read after a close");
  for (const [place, count] of after) {
    const before = missing.get(place) ?? 0;
    if (count > before)
      throw new Broken("lost", `${count - before} rows of the ${place} went later`);
  }
}

/** What is missing; null where a typed error says that something cannot be read. */
export async function read(
  store: Engine,
  content: StoreContent,
  when: string,
  isByWindow?: boolean,
): Promise<Missing | null> {
  try {
    return await content.missing(store, when, isByWindow);
  } catch (error) {
    if (!isStorageError(error, "BLOCK_CORRUPT")) throw error;
    return null;
  }
}

function checkTold(store: Engine, missing: Missing, { mayLose }: Target): void {
  if (missing.size === 0) return;
  const text = [...missing].map(([place, count]) => `${count} rows of the ${place}`).join(", ");
  for (const place of missing.keys()) {
    if (!mayLose.includes(place)) throw new Broken("lost", `${text} are missing: none was damaged`);
  }
  const told = whatIsTold(store);
  if (told === "") throw new Broken("lost", `${text} are missing, and nothing tells of it`);
}

/** What an opening says of damage; empty where it says that all was well. */
function whatIsTold(store: Engine): string {
  const { wal, sealed, samplesOrphaned } = store.recovery;
  const { quarantined = [] } = store.stats().blocks;
  return [
    wal.unclean ? "the log was not closed" : "",
    wal.cutReason,
    ...wal.quarantined,
    sealed.damaged > 0 ? `sealed/ is damaged in ${sealed.damaged} places` : "",
    ...sealed.quarantined,
    samplesOrphaned > 0 ? `${samplesOrphaned} samples have no series` : "",
    ...quarantined,
  ]
    .filter((each) => each !== "")
    .join("; ");
}
