import { open, recommended } from "varve";
import { storeDirOf } from "./place.ts";

/** A store, as the commands use it. */
export type Store = Awaited<ReturnType<typeof open>>;

/** Opens a data directory to read, beside its writer if it has one. Throws INPUT when it is none. */
export function openToRead(dir: string): Promise<Store> {
  return open({ dir: storeDirOf(dir), plan: recommended(), readOnly: true });
}
