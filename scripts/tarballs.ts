import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { mapLimited, must, ROOT } from "./process.ts";

/** A public package as npm would deliver it. */
export interface Tarball {
  readonly name: string;
  /** The package's folder in the repository. */
  readonly dir: string;
  readonly path: string;
  /** What is inside, by path in the package. */
  readonly files: readonly string[];
  readonly exports: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
}

let work: string | undefined;
let packed: Promise<readonly Tarball[]> | undefined;
const projects = new Map<string, Promise<string>>();

/**
 * A folder for this run, outside the repository so that nothing resolves to its `node_modules`.
 * It goes when the process ends.
 */
function workFolder(): string {
  if (work === undefined) {
    const dir = mkdtempSync(join(tmpdir(), "varve-packages-"));
    work = dir;
    process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
  }
  return work;
}

/** Packs every public package, once a process. They are built before. */
export function packAll(): Promise<readonly Tarball[]> {
  packed ??= packNow();
  return packed;
}

/** An empty project with only this package, and its workspace packages from their tarballs. */
export function projectOf(tarball: Tarball): Promise<string> {
  let project = projects.get(tarball.name);
  if (project === undefined) {
    project = createProject(tarball.name.replaceAll(/[@/]/g, "_"), [tarball.name]);
    projects.set(tarball.name, project);
  }
  return project;
}

/** An empty project in which the named packages are installed by npm. */
export async function createProject(title: string, names: readonly string[]): Promise<string> {
  const tarballs = await packAll();
  const dir = join(workFolder(), title);
  await mkdir(dir, { recursive: true });
  const files = Object.fromEntries(tarballs.map(({ name, path }) => [name, `file:${path}`]));
  const manifest = {
    name: "empty-project",
    private: true,
    type: "module",
    dependencies: Object.fromEntries(names.map((name) => [name, files[name]])),
    // Our versions are not on the registry yet: whoever asks for one gets the tarball.
    overrides: files,
  };
  await writeFile(join(dir, "package.json"), JSON.stringify(manifest, null, 2));
  const flags = ["--prefer-offline", "--no-audit", "--no-fund", "--no-package-lock"];
  await must("npm", ["install", ...flags], { cwd: dir });
  return dir;
}

async function packNow(): Promise<readonly Tarball[]> {
  const manifests = globSync(["packages/*/package.json", "apps/*/package.json"], { cwd: ROOT });
  const dirs = manifests.map(dirname).toSorted();
  const tarballs = await mapLimited(dirs, 2, packOne);
  return tarballs.filter((tarball) => tarball !== undefined);
}

async function packOne(dir: string): Promise<Tarball | undefined> {
  const text = readFileSync(join(ROOT, dir, "package.json"), "utf8");
  const manifest = JSON.parse(text) as Manifest;
  if (manifest.private === true) return undefined;
  const args = ["pack", "--json", "--pack-destination", workFolder()];
  const answer = await must("pnpm", args, { cwd: join(ROOT, dir) });
  const { filename, files } = JSON.parse(answer) as {
    filename: string;
    files: { path: string }[];
  };
  return {
    name: manifest.name,
    dir,
    path: filename,
    files: files.map((file) => file.path),
    exports: Object.keys(manifest.exports ?? {}),
  };
}
