import { type Package, type Repository, sourcesOf, tagOf } from "./repository.ts";
import { importsOf, packageOf } from "./source.ts";

/** Tags that these packages may import in their tests, but not in what they ship. */
const TEST_ONLY: Readonly<Record<string, readonly string[]>> = {
  format: ["part"],
  part: ["conformance", "part"],
  engine: ["conformance"],
  preset: ["conformance", "workload"],
  example: ["conformance", "engine", "preset"],
  workload: ["conformance"],
};

/** Every package that tests may use although no manifest but the root's names it. */
const TEST_TOOLS = new Set(["vitest", "fast-check"]);

/** Imports point down only: the table in `turbo.json`, and a manifest that names what is imported. */
export function checkImports(repository: Repository): readonly string[] {
  const byName = new Map(repository.packages.map((pkg) => [pkg.manifest.name, pkg]));
  return repository.packages.flatMap((pkg) => [
    ...(tagOf(pkg) in repository.allowed ? [] : [`${pkg.dir}/turbo.json: a tag from turbo.json`]),
    ...sourcesOf(pkg, "src").flatMap((path) => checkFile(repository, byName, pkg, path)),
    ...sourcesOf(pkg, "test").flatMap((path) => checkFile(repository, byName, pkg, path)),
  ]);
}

function checkFile(
  { allowed }: Repository,
  byName: ReadonlyMap<string, Package>,
  pkg: Package,
  path: string,
): string[] {
  const problems: string[] = [];
  const shipped = path.startsWith("src/");
  const tag = tagOf(pkg);
  const { name, dependencies = {}, devDependencies = {} } = pkg.manifest;
  for (const specifier of importsOf(pkg.files[path]!)) {
    const where = `${pkg.dir}/${path}: imports ${specifier}`;
    const target = packageOf(specifier);
    if (target === undefined) {
      if (leaves(path, specifier, shipped)) problems.push(`${where}, outside its own folder`);
      if (specifier.startsWith(".") && specifier.endsWith(".js"))
        problems.push(`${where}: write .ts`);
      continue;
    }
    if (target === name) {
      if (shipped) problems.push(`${where}, which is itself`);
      continue;
    }
    if (!shipped && TEST_TOOLS.has(target)) continue;
    if (!(target in dependencies) && (shipped || !(target in devDependencies))) {
      problems.push(
        `${where}, which its ${shipped ? "dependencies do" : "manifest does"} not name`,
      );
    }
    const other = byName.get(target);
    if (other === undefined) continue;
    const otherTag = tagOf(other);
    const down = allowed[tag]?.includes(otherTag) ?? false;
    const testOnly = TEST_ONLY[tag]?.includes(otherTag) ?? false;
    if (!down) problems.push(`${where}: ${tag} may not import ${otherTag}`);
    else if (shipped && testOnly)
      problems.push(`${where}: ${tag} may import ${otherTag} only in tests`);
  }
  return problems;
}

/** Whether a relative import leaves the folder: a source must stay in `src`, a test in its package. */
function leaves(path: string, specifier: string, shipped: boolean): boolean {
  if (!specifier.startsWith(".")) return false;
  const url = new URL(specifier, `file:///package/${path}`);
  return !url.pathname.startsWith(shipped ? "/package/src/" : "/package/");
}
