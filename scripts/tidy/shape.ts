import { isDeepStrictEqual } from "node:util";
import { type Package, type Repository, tagOf } from "./repository.ts";

/** What every published manifest says, word for word. */
const FIELDS: Readonly<Record<string, unknown>> = {
  license: "Apache-2.0",
  files: ["dist", "src", "LICENSE", "README.md"],
  type: "module",
  sideEffects: false,
  publishConfig: { access: "public" },
  engines: { node: ">=22.13" },
};

const REQUIRED = ["name", "version", "description", "keywords", "exports"] as const;
const OPTIONAL = ["bin", "dependencies", "devDependencies"] as const;

const BUILD = "tsc -p tsconfig.build.json";
const BUILD_WITH_KERNELS = `${BUILD} && node ../../scripts/kernels.ts`;

/** Tags whose packages may use any third-party package. */
const APPS = new Set(["app", "bench"]);

/** Open one package and you know them all. */
export function checkShape(repository: Repository): readonly string[] {
  const names = new Set(repository.packages.map((pkg) => pkg.manifest.name));
  return repository.packages.flatMap((pkg) => {
    const problems = checkDependencies(pkg, names);
    if (pkg.manifest.private !== true) {
      problems.push(...checkManifest(pkg), ...checkExports(pkg), ...checkFiles(pkg, repository));
    }
    return problems.map((problem) => `${pkg.dir}: ${problem}`);
  });
}

function checkManifest({ manifest, files }: Package): string[] {
  const problems: string[] = [];
  const known = new Set<string>([...Object.keys(FIELDS), "scripts", ...REQUIRED, ...OPTIONAL]);
  for (const field of REQUIRED) {
    if (manifest[field] === undefined) problems.push(`package.json has no ${field}`);
  }
  const hasKernels = Object.keys(files).some((file) => file.startsWith("kernel/"));
  const scripts = { build: hasKernels ? BUILD_WITH_KERNELS : BUILD };
  for (const [field, value] of Object.entries({ ...FIELDS, scripts })) {
    const said = manifest[field];
    // A package may also ship data; it stands after the sources.
    const plain = Array.isArray(said) ? said.filter((each) => each !== "data") : said;
    if (isDeepStrictEqual(plain, value)) continue;
    problems.push(`package.json says ${JSON.stringify(value)} for ${field}, as every package does`);
  }
  for (const field of Object.keys(manifest)) {
    if (!known.has(field)) problems.push(`package.json has a field of its own: ${field}`);
  }
  return problems;
}

function checkExports({ manifest, files }: Package): string[] {
  return Object.entries(manifest.exports ?? {}).flatMap(([subpath, conditions]) => {
    const source = conditions["@varve/source"] ?? "";
    const stem = /^\.\/src\/(.+)\.ts$/.exec(source)?.[1];
    if (stem === undefined) return [`export ${subpath} names its source as ./src/….ts`];
    const wanted = {
      "@varve/source": source,
      types: `./dist/${stem}.d.ts`,
      default: `./dist/${stem}.js`,
    };
    const problems: string[] = [];
    // The order counts too: Node takes the first condition that it knows.
    if (JSON.stringify(conditions) !== JSON.stringify(wanted)) {
      problems.push(`export ${subpath} is ${JSON.stringify(wanted)}`);
    }
    if (files[`src/${stem}.ts`] === undefined)
      problems.push(`export ${subpath}: no src/${stem}.ts`);
    return problems;
  });
}

function checkFiles(pkg: Package, { license }: Repository): string[] {
  const { manifest, files } = pkg;
  const problems: string[] = [];
  if (files["LICENSE"] !== license) problems.push("LICENSE is a copy of the repository's");
  const readme = files["README.md"] ?? "";
  if (!readme.startsWith(`# ${manifest.name}\n`)) {
    problems.push(`README.md begins with "# ${manifest.name}"`);
  }
  if (!/^```(ts|js)$/m.test(readme)) problems.push("README.md has an example, fenced as ts or js");
  const configs: Readonly<Record<string, unknown>> = {
    "tsconfig.json": { extends: "../../tsconfig.base.json", include: ["src", "test"] },
    "tsconfig.build.json": {
      extends: "../../tsconfig.build.json",
      compilerOptions: { rootDir: "src", outDir: "dist" },
      include: ["src"],
    },
    "turbo.json": { extends: ["//"], tags: [tagOf(pkg)] },
  };
  for (const [file, wanted] of Object.entries(configs)) {
    const text = files[file];
    const same = text !== undefined && isDeepStrictEqual(JSON.parse(text), wanted);
    if (!same) problems.push(`${file} is ${JSON.stringify(wanted)}`);
  }
  return problems;
}

/** Ours are named by `workspace:^`; a third-party one has a package of its own, named for it. */
function checkDependencies(pkg: Package, names: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const { dependencies = {}, devDependencies = {} } = pkg.manifest;
  for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies })) {
    if (names.has(name) && range !== "workspace:^") problems.push(`${name} is "workspace:^"`);
    if (!names.has(name) && !/^\d/.test(range)) problems.push(`${name} has an exact version`);
  }
  const foreign = Object.keys(dependencies).filter((name) => !names.has(name));
  if (APPS.has(tagOf(pkg)) || foreign.length === 0) return problems;
  const last = pkg.dir.split("-").at(-1)!;
  if (foreign.length > 1 || !foreign[0]!.includes(last)) {
    problems.push(`${foreign.join(", ")}: a third-party dependency gets a package named for it`);
  }
  return problems;
}
