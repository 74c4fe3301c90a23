import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Builds what changed, quietly, then runs the lab from `dist`: sources are never what is measured. */
const root = fileURLToPath(new URL("..", import.meta.url));
const build = spawnSync("turbo", ["run", "build"], { cwd: root, encoding: "utf8" });
if (build.status !== 0) {
  process.stderr.write(`${build.stdout ?? ""}${build.stderr ?? ""}${build.error ?? ""}\n`);
  process.exit(1);
}
const main = fileURLToPath(new URL("../apps/lab/dist/main.js", import.meta.url));
const lab = spawnSync(process.execPath, [main, ...process.argv.slice(2)], { stdio: "inherit" });
process.exit(lab.status ?? 1);
