import { isStorageError, open, recommended } from "varve";

/** Tries to open the directory it is given, and tells how that went. */
try {
  const store = await open({ dir: process.argv[2]!, plan: recommended() });
  await store.close();
  process.send!({ code: null });
} catch (error) {
  process.send!(
    isStorageError(error) ? { code: error.code, pid: error.facts["pid"] } : { code: String(error) },
  );
}
process.disconnect?.();
