import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { BUGS } from "./bugs.ts";

/** Loaded before a row's process, the processes that it starts, and their workers: one source is read with the mistake that `PLANTED_BUG` names. */
const bug = BUGS.find(({ id }) => id === process.env["PLANTED_BUG"])!;

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (!url.endsWith(`/${bug.file}`)) return loaded;
    return { ...loaded, source: planted(readFileSync(fileURLToPath(url), "utf8")) };
  },
});

function planted(source: string): string {
  if (source.split(bug.find).length !== 2) {
    throw new Error(`${bug.file} does not hold what the bug ${bug.id} replaces, exactly once`);
  }
  return source.replace(bug.find, () => bug.replace);
}
