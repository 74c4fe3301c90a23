import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Sources run as they are, and find the other packages' sources; published files are JavaScript. */
const IS_SOURCE = import.meta.url.endsWith(".ts");
const CHILD = fileURLToPath(
  IS_SOURCE
    ? new URL("./verify-child.ts", import.meta.url)
    : new URL("./verify-child.js", import.meta.url),
);
/** Longest explanation that is kept, in characters. */
const REASON_LENGTH_MAX = 500;

/**
 * Verifies the index in `dir` in a child process and leaves a sound copy of it in `copy`, within `msMax`.
 * Returns why it cannot be trusted: an empty string when it can.
 */
export async function verifyInChild(dir: string, copy: string, msMax: number): Promise<string> {
  const flags = IS_SOURCE ? ["--conditions=@varve/source"] : [];
  const child = spawn(process.execPath, [...flags, CHILD, dir, copy], {
    stdio: ["ignore", "pipe", "ignore"],
    timeout: msMax,
    killSignal: "SIGKILL",
    // Nothing that was meant for the parent, such as --inspect.
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  let said = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text: string) => {
    if (said.length < REASON_LENGTH_MAX) said += text.slice(0, REASON_LENGTH_MAX);
  });
  return new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(`it cannot be verified: ${error.message}`));
    child.on("close", (code, signal) => {
      if (code === 0) resolve("");
      else if (signal !== null) resolve(`reading it ended the verifying process with ${signal}`);
      else resolve(said || `the verifying process exited with ${code}`);
    });
  });
}
