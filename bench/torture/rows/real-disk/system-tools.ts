import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A program of the system's, and the Debian package that brings it. */
export interface SystemTool {
  readonly program: string;
  readonly debian: string;
}

const INSTALL = fileURLToPath(new URL("../../../../scripts/install-debian.sh", import.meta.url));
/** Where programs for root lie, whatever the environment says. */
const ROOT_PATHS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Why a row that mounts cannot run here; null when it can. Installs the tools that are missing, where that is possible. */
export function lacksMounts(tools: readonly SystemTool[]): string | null {
  if (process.platform !== "linux") return "it mounts file systems of Linux";
  if (process.getuid?.() !== 0) return "only root can mount file systems";
  return lacksTools(tools) ?? lacksNamespace();
}

function lacksTools(tools: readonly SystemTool[]): string | null {
  const missing = tools.filter(({ program }) => !isInstalled(program));
  if (missing.length === 0) return null;
  const packages = [...new Set(missing.map(({ debian }) => debian))];
  process.stderr.write(`  installing ${packages.join(", ")} with apt-get\n`);
  const { status, stderr } = spawnSync("bash", [INSTALL, ...packages], { encoding: "utf8" });
  if (status !== 0) return `${missing[0]!.program} is not here: ${stderr.trim()}`;
  const still = tools.find(({ program }) => !isInstalled(program));
  return still === undefined ? null : `${still.program} is not in the package ${still.debian}`;
}

function isInstalled(program: string): boolean {
  const paths = [...(process.env["PATH"] ?? "").split(delimiter), ...ROOT_PATHS];
  return paths.some((path) => {
    try {
      accessSync(join(path, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Containers often keep even root from mounting. */
function lacksNamespace(): string | null {
  const mount = "mount -t tmpfs tmpfs /tmp && losetup -f >/dev/null";
  const args = ["--mount", "--propagation", "private", "sh", "-c", mount];
  const { status, stderr, error } = spawnSync("unshare", args, { encoding: "utf8" });
  if (status === 0) return null;
  return `file systems cannot be mounted here: ${(error?.message ?? stderr).trim()}`;
}
