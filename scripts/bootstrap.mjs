/**
 * `npm start` and `npm test` on a fresh clone: fetches the pinned pnpm and Node into `.toolchain`,
 * installs, builds, and hands over. Plain JavaScript without dependencies, for Node 20 and newer.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TOOLCHAIN = join(ROOT, ".toolchain");
const BIN = join("node_modules", ".bin");
const WINDOWS = process.platform === "win32";
const WORK = { start: ["apps/lab/dist/main.js", "seed"], test: ["scripts/check.ts", "--all"] };

/** npm passes its settings on as variables; only the ones about reaching a registry are for pnpm. */
const SETTINGS =
  /^npm_config_(@.*|\/\/.*|_auth.*|registry|userconfig|ca|cafile|cert|key|strict_ssl|proxy|https?_proxy|noproxy|cache|fetch_.*|maxsockets)$/i;

const [command = "", ...args] = process.argv.slice(2);
if (!(command in WORK)) fail(`usage: node scripts/bootstrap.mjs ${Object.keys(WORK).join("|")}`);

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const pins = {
  node: manifest.devDependencies.node,
  pnpm: manifest.devEngines.packageManager.version.replace(/^\D+/, ""),
};
const env = environment();

say(1, `pnpm ${pins.pnpm} and Node ${pins.node}`);
installToolchain();
say(2, "dependencies (pnpm install)");
await step("pnpm", ["install", "--frozen-lockfile"], "The dependencies could not be installed.");
say(3, "build (pnpm build)");
await step("pnpm", ["--silent", "build"], "The build failed; its messages are above.");
say(4, [`node ${WORK[command].join(" ")}`, ...args].join(" "));
process.exitCode = await run("node", [...WORK[command], ...args]);

/** Installs the pinned tools, unless they are there already. */
function installToolchain() {
  if (isReady()) return;
  mkdirSync(TOOLCHAIN, { recursive: true });
  // npm 12 runs install scripts only for packages that are named here.
  const wanted = { private: true, dependencies: pins, allowScripts: { node: true, pnpm: true } };
  writeFileSync(join(TOOLCHAIN, "package.json"), `${JSON.stringify(wanted, null, 2)}\n`);
  const flags = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts=false"];
  const installed = spawnSync("npm", ["install", "--prefix", TOOLCHAIN, ...flags], {
    cwd: TOOLCHAIN,
    env,
    shell: WINDOWS,
    encoding: "utf8",
  });
  if (isReady()) return;
  const output = `${installed.stdout ?? ""}${installed.stderr ?? ""}${installed.error ?? ""}`;
  fail(`${output}\npnpm ${pins.pnpm} and Node ${pins.node} could not be installed from npm.`);
}

/** Whether the tools start and are the pinned ones. */
function isReady() {
  if (!existsSync(join(TOOLCHAIN, BIN))) return false;
  return (
    answer("node") === `v${pins.node}` && answer("pnpm") === pins.pnpm // Starts both: 0.1 s.
  );
}

function answer(tool) {
  const path = join(TOOLCHAIN, BIN, tool);
  const asked = spawnSync(path, ["--version"], { env, encoding: "utf8", shell: WINDOWS });
  return asked.stdout?.trim();
}

/** The variables for every step: the pinned tools first on PATH, and nothing of the npm around us. */
function environment() {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^npm_/i.test(name) || SETTINGS.test(name),
  );
  const own = Object.fromEntries(kept);
  for (const name of ["INIT_CWD", "NODE", "NODE_ENV", "NODE_OPTIONS", "PNPM_SCRIPT_SRC_DIR"]) {
    delete own[name];
  }
  const pathName = Object.keys(own).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
  const paths = [join(TOOLCHAIN, BIN), join(ROOT, BIN), own[pathName] ?? ""];
  own[pathName] = paths.join(delimiter);
  own.TURBO_TELEMETRY_DISABLED = "1";
  return own;
}

async function step(tool, toolArgs, complaint) {
  const code = await run(tool, toolArgs);
  if (code !== 0) fail(complaint, code);
}

/** Runs a tool in the foreground, and resolves its exit code. Ctrl-C reaches it; we wait for it. */
function run(tool, toolArgs) {
  const child = spawn(tool, toolArgs, { cwd: ROOT, env, stdio: "inherit", shell: WINDOWS });
  const ignore = () => {};
  const forward = () => child.kill("SIGTERM");
  process.on("SIGINT", ignore);
  process.on("SIGTERM", forward);
  return new Promise((resolve) => {
    const done = (code) => {
      process.off("SIGINT", ignore);
      process.off("SIGTERM", forward);
      resolve(code);
    };
    child.on("error", (error) => {
      console.error(String(error));
      done(1);
    });
    child.on("exit", (code, signal) => done(code ?? 128 + constants.signals[signal ?? "SIGTERM"]));
  });
}

function say(number, text) {
  console.log(`[${number}/4] ${text}`);
}

function fail(message, code = 1) {
  console.error(`${message}\n`);
  console.error(
    "The first run needs the npm registry: behind a proxy, set it with `npm config set proxy` (and\n" +
      "`registry`, `cafile`). Once .toolchain and node_modules are there, no network is needed.",
  );
  process.exit(code);
}
