import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/** What tidy looks at: plain data, so that a test can write a repository down. */
export interface Repository {
  readonly packages: readonly Package[];
  /** The direction of imports: a tag, and the tags that it may import. It is kept in `turbo.json`. */
  readonly allowed: Readonly<Record<string, readonly string[]>>;
  /** The text of the repository's LICENSE. */
  readonly license: string;
}

export interface Package {
  /** The folder, such as `packages/wal`. */
  readonly dir: string;
  readonly manifest: Manifest;
  /** Every file that is not ignored, by path inside the folder. Texts of binary files are garbled. */
  readonly files: Readonly<Record<string, string>>;
}

export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** The only tag of a package, from its `turbo.json`. */
export function tagOf(pkg: Package): string {
  const text = pkg.files["turbo.json"];
  if (text === undefined) return "none";
  return (JSON.parse(text) as { tags?: readonly string[] }).tags?.[0] ?? "none";
}

/** The paths of a package's TypeScript sources, or of its tests. */
export function sourcesOf(pkg: Package, folder: "src" | "test"): readonly string[] {
  return Object.keys(pkg.files).filter(
    (path) => path.startsWith(`${folder}/`) && path.endsWith(".ts"),
  );
}

/** The last word of a package's folder: `wal`. */
export function shortName(pkg: Package): string {
  return basename(pkg.dir);
}

export function readRepository(root: string): Repository {
  const manifests = globSync(
    [
      "packages/*/package.json",
      "apps/*/package.json",
      "examples/*/package.json",
      "bench/package.json",
    ],
    { cwd: root },
  );
  const turbo = JSON.parse(readFileSync(join(root, "turbo.json"), "utf8")) as {
    boundaries: { tags: Record<string, { dependencies: { allow: string[] } }> };
  };
  const tags = Object.entries(turbo.boundaries.tags);
  return {
    packages: manifests
      .toSorted()
      .map((path) => readPackage(root, path.replace(/[\\/]package\.json$/, ""))),
    allowed: Object.fromEntries(tags.map(([tag, { dependencies }]) => [tag, dependencies.allow])),
    license: readFileSync(join(root, "LICENSE"), "utf8"),
  };
}

function readPackage(root: string, dir: string): Package {
  const at = join(root, dir);
  const wanted = ["*.{json,md}", "LICENSE", "{src,test,kernel}/**/*.ts"];
  const paths = globSync(wanted, { cwd: at }).filter((path) => existsSync(join(at, path)));
  const files = paths.map((path) => [
    path.replaceAll("\\", "/"),
    readFileSync(join(at, path), "utf8"),
  ]);
  const all = Object.fromEntries(files) as Record<string, string>;
  return {
    dir: dir.replaceAll("\\", "/"),
    manifest: JSON.parse(all["package.json"]!) as Manifest,
    files: all,
  };
}
