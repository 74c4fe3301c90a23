import { join } from "node:path";
import { mapLimited, must, ROOT, run } from "./process.ts";
import { prepareExample, runExample } from "./readme-example.ts";
import { packAll, projectOf, type Tarball } from "./tarballs.ts";

/** Packages at work at once: installing waits for the disk as much as for a core. */
const WIDTH = 2;

/** What a tarball may hold. */
const CLEAN = /^(dist\/|src\/|data\/|LICENSE$|README\.md$|package\.json$|CHANGELOG\.md$)/;

/**
 * Tries each public package as its user would: the tarball is clean, publint and attw find nothing,
 * it installs alone into an empty project, and the first example of its README runs there.
 */
export async function checkPackages(): Promise<readonly string[]> {
  const tarballs = await packAll();
  const problems = await mapLimited(tarballs, WIDTH, checkOne);
  return [...problems.flat(), ...(await checkDryRun())];
}

async function checkOne(tarball: Tarball): Promise<readonly string[]> {
  const problems = checkContents(tarball);
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  await attempt("publint", () => must("publint", ["run", tarball.path, "--strict"]));
  const attw = [tarball.path, "--profile", "esm-only", "--no-definitely-typed", "--no-emoji"];
  await attempt("attw", () => must("attw", attw));
  await attempt("alone in an empty project", async () => {
    const project = await projectOf(tarball);
    await attempt("its README's example", async () => {
      const example = await prepareExample(join(ROOT, tarball.dir, "README.md"), project);
      await runExample(example, process.execPath, project);
    });
    if (tarball.name === "@varve/lab") {
      await attempt("npx varve-lab list", () =>
        must("npx", ["--no-install", "varve-lab", "list"], { cwd: project }),
      );
    }
  });
  return problems.map((problem) => `${tarball.name}: ${problem}`);
}

/** Nothing but what is meant for users, and no output of a source that is gone. */
function checkContents(tarball: Tarball): string[] {
  const problems = tarball.files.filter((path) => !CLEAN.test(path)).map((path) => `packs ${path}`);
  for (const wanted of ["LICENSE", "README.md", "package.json"]) {
    if (!tarball.files.includes(wanted)) problems.push(`lacks ${wanted}`);
  }
  const files = new Set(tarball.files);
  for (const path of tarball.files) {
    const stem = /^dist\/(.+?)\.(?:js|d\.ts)(?:\.map)?$/.exec(path)?.[1];
    if (stem !== undefined && !files.has(`src/${stem}.ts`)) {
      problems.push(`packs ${path}, which no source explains: remove dist, and build again`);
    }
  }
  return problems;
}

/** What a release would do, without doing it. */
async function checkDryRun(): Promise<readonly string[]> {
  const args = ["publish", "-r", "--dry-run", "--no-git-checks"];
  const { code, output } = await run("pnpm", args);
  return code === 0 ? [] : [`pnpm ${args.join(" ")}: ${output}`];
}

if (import.meta.main) {
  const problems = await checkPackages();
  console.log(problems.join("\n") || "every package is clean, and works alone");
  process.exitCode = problems.length > 0 ? 1 : 0;
}
