import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { must, ROOT } from "./process.ts";
import { compile } from "./readme-example.ts";
import { createProject } from "./tarballs.ts";

/** The third party's sources; `main.ts` is what runs. */
const FIXTURE = join(ROOT, "scripts", "fixtures", "third-party");

/** What the third party installs. */
const PACKAGES = ["varve", "@varve/contracts", "@varve/bytes", "@varve/disk", "@varve/conformance"];

/**
 * Builds a third party's index outside the repository, from the packed tarballs and the published
 * types alone, and runs it: certified, composed into an engine, written to, and read back.
 */
export async function checkThirdParty(): Promise<readonly string[]> {
  const project = await createProject("third-party", PACKAGES);
  await cp(FIXTURE, project, { recursive: true });
  const sources = (await readdir(FIXTURE)).filter((file) => file.endsWith(".ts"));
  try {
    await compile(project, ...sources);
    await must(process.execPath, ["main.js"], { cwd: project });
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

if (import.meta.main) {
  const problems = await checkThirdParty();
  console.log(problems.join("\n") || "the third party's index works");
  process.exitCode = problems.length > 0 ? 1 : 0;
}
