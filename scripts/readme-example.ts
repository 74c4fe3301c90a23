import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { must, ROOT } from "./process.ts";

/** Longest time that an example may take. */
const EXAMPLE_MS_MAX = 60_000;

export interface Example {
  readonly language: "ts" | "js";
  readonly code: string;
}

/** The first block of a page that is fenced as ts or js. */
export function exampleOf(markdown: string): Example | undefined {
  const match = /^```(ts|js)\n([\s\S]*?)^```$/m.exec(markdown);
  if (match === null) return undefined;
  return { language: match[1] === "ts" ? "ts" : "js", code: match[2]! };
}

/**
 * Puts a page's example into a project, as JavaScript that any supported Node runs. TypeScript is
 * compiled against the installed packages, so their published types are tried as well.
 */
export async function prepareExample(readme: string, project: string): Promise<string> {
  const example = exampleOf(readFileSync(readme, "utf8"));
  if (example === undefined) throw new Error(`${readme} has no block fenced as ts or js`);
  const target = join(project, "example.js");
  if (existsSync(target)) return target;
  await writeFile(join(project, `example.${example.language}`), example.code);
  if (example.language === "ts") await compile(project, "example.ts");
  return target;
}

/** Compiles a TypeScript file of a project in place, as a user's strict project would. */
export async function compile(project: string, ...files: readonly string[]): Promise<void> {
  const compilerOptions = {
    target: "ES2023",
    lib: ["ES2023", "ESNext.Disposable", "DOM"],
    module: "NodeNext",
    strict: true,
    rewriteRelativeImportExtensions: true,
    // Our own dist is checked as well; only the repository's @types/node is borrowed.
    skipLibCheck: false,
    types: ["node"],
    typeRoots: [join(ROOT, "node_modules", "@types")],
  };
  const config = JSON.stringify({ compilerOptions, files });
  await writeFile(join(project, "tsconfig.json"), config);
  await must("tsc", ["-p", project], { cwd: project });
}

/** Runs a prepared example in its project, with a Node of choice. */
export async function runExample(file: string, node: string, project: string): Promise<void> {
  await must(node, [file], { cwd: project, timeoutMs: EXAMPLE_MS_MAX });
}
