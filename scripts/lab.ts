import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT, run } from "./process.ts";

/** Builds what changed, quietly, then runs the lab from `dist`: sources are never what is measured. */
const build = await run("turbo", ["run", "build"]);
if (build.code !== 0) {
  console.error(build.output);
  process.exit(build.code);
}
const main = join(ROOT, "apps", "lab", "dist", "main.js");
const lab = spawn(process.execPath, [main, ...process.argv.slice(2)], { stdio: "inherit" });
// Ctrl-C reaches the lab as well, and it ends with what was measured: wait for that.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => lab.kill("SIGTERM"));
lab.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
