import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mapLimited, must, ROOT } from "./process.ts";
import { prepareExample, runExample } from "./readme-example.ts";
import { packAll, projectOf, type Tarball } from "./tarballs.ts";

/** The releases that published packages promise to run on. */
const MAJORS = ["22", "24"] as const;

/** Imports every export of every packed package, and runs its README's example, on each release. */
export async function checkExamplesUnderNode(): Promise<readonly string[]> {
  const tarballs = await packAll();
  const problems: string[] = [];
  for (const major of MAJORS) {
    const node = await nodeOf(major);
    const found = await mapLimited(tarballs, 2, (tarball) => checkOne(tarball, node));
    problems.push(...found.flat().map((problem) => `Node ${major}: ${problem}`));
  }
  return problems;
}

async function checkOne(tarball: Tarball, node: string): Promise<readonly string[]> {
  try {
    const project = await projectOf(tarball);
    const names = tarball.exports.map((subpath) => tarball.name + subpath.slice(1));
    const code = names.map((name) => `await import(${JSON.stringify(name)});`).join("\n");
    await writeFile(join(project, "imports.js"), code);
    await must(node, ["imports.js"], { cwd: project });
    const example = await prepareExample(join(ROOT, tarball.dir, "README.md"), project);
    await runExample(example, node, project);
    return [];
  } catch (error) {
    return [`${tarball.name}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

/** The newest Node of a release from npm, kept beside the toolchain. */
async function nodeOf(major: string): Promise<string> {
  const dir = join(ROOT, ".toolchain", `node-${major}`);
  const node = join(dir, "node_modules", ".bin", "node");
  if (!existsSync(node)) {
    await mkdir(dir, { recursive: true });
    const manifest = { private: true, dependencies: { node: major }, allowScripts: { node: true } };
    await writeFile(join(dir, "package.json"), JSON.stringify(manifest));
    const flags = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts=false"];
    await must("npm", ["install", "--prefix", dir, ...flags], { cwd: dir });
  }
  const version = await must(node, ["--version"]);
  if (!version.startsWith(`v${major}.`)) throw new Error(`${node} is ${version}, not ${major}`);
  return node;
}

if (import.meta.main) {
  const problems = await checkExamplesUnderNode();
  console.log(problems.join("\n") || `every package works on Node ${MAJORS.join(" and ")}`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
