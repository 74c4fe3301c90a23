import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const ROOT: string = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "");

export interface Finished {
  readonly code: number;
  /** What it printed, standard output and error as they came. */
  readonly output: string;
  readonly stdout: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds until the command is ended. */
  readonly timeoutMs?: number;
}

/** The variables of a child: the repository's tools first on PATH, nothing of a package manager. */
function environment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of Object.keys(env)) {
    if (
      /^(npm_(lifecycle|package|command|execpath|node_execpath|config_user_agent)|INIT_CWD$)/.test(
        name,
      )
    ) {
      delete env[name];
    }
  }
  env["PATH"] = [join(ROOT, "node_modules", ".bin"), env["PATH"] ?? ""].join(delimiter);
  return { ...env, TURBO_TELEMETRY_DISABLED: "1", ...extra };
}

/** Runs a command to its end, and keeps what it printed. Never throws: a failure is a code. */
export function run(
  command: string,
  args: readonly string[],
  { cwd = ROOT, env = {}, timeoutMs = 15 * 60_000 }: RunOptions = {},
): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: environment(env),
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
      shell: process.platform === "win32",
    });
    let output = "";
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.on("error", (error) => resolve({ code: 127, output: `${output}${error}`, stdout }));
    child.on("close", (code, signal) => {
      const ended = signal === null ? "" : `\nended by ${signal} (limit ${timeoutMs} ms)`;
      resolve({ code: code ?? 1, output: output + ended, stdout });
    });
  });
}

/** Runs a command, and throws what it printed if it fails. Returns its standard output. */
export async function must(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, output, stdout } = await run(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}\n${output}`);
  return stdout;
}

/** Maps with at most `width` at work at once; results are in order. */
export async function mapLimited<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at]!);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}
