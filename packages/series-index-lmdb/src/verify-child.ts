import { openStore } from "./store.ts";

/**
 * Runs in a process of its own, because reading a damaged LMDB file can end the process: walks the index in the
 * directory given, and writes what it found sound to the second one. Exits with 0, or says why not.
 */
const [dir, copy] = process.argv.slice(2);
if (dir === undefined || copy === undefined) throw new Error("usage: verify-child DIR COPY");
try {
  const store = openStore(dir, { mapBytes: 2 ** 26, readOnly: true });
  store.verify();
  await store.copyTo(copy);
  await store.close();
} catch (error) {
  process.stdout.write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
