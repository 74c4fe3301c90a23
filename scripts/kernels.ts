import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { ROOT } from "./process.ts";

/**
 * Compiles kernels: each `kernel/NAME.ts` of a package, written in AssemblyScript, to `dist/kernel/NAME.wasm`. What they
 * share lies in folders below `kernel/`. In a package's directory it compiles that package's, elsewhere those of all whose
 * result is missing or older than a source.
 *
 * A kernel imports the engine's memory, but for the OWNERS, and owns nothing of it: no static data, which every module would put at the same
 * address, no allocation, and no state but what it is given the place of.
 */
const FLAGS = [
  ["-O3", "--converge", "--noAssert"],
  ["--runtime", "stub"],
  ["--enable", "threads,simd,bulk-memory"],
  ["--use", "abort="],
].flat();
const ENGINES_MEMORY = [
  ["--importMemory", "--sharedMemory", "--noExportMemory"],
  ["--initialMemory", "1", "--maximumMemory", "65536"],
].flat();
const OWN_MEMORY = ["--initialMemory", "2", "--maximumMemory", "2"];

/** Kernels that bring a small memory of their own: bytes from anywhere are copied into it. */
const OWNERS = new Set(["crc32c.ts"]);

/** What a data section would be: a kernel that has one is refused. */
const DATA_SECTION = 11;

export interface Kernel {
  readonly source: string;
  readonly target: string;
}

/** The kernels of a package. */
export function kernelsOf(packageDir: string): readonly Kernel[] {
  const dir = join(packageDir, "kernel");
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => name.endsWith(".ts"))
    .map((name) => ({
      source: join(dir, name),
      target: join(packageDir, "dist", "kernel", `${basename(name, ".ts")}.wasm`),
    }));
}

/** The kernels of the repository that have to be compiled. */
export function staleKernels(): readonly Kernel[] {
  return readdirSync(join(ROOT, "packages")).flatMap((name) => {
    const packageDir = join(ROOT, "packages", name);
    const kernels = kernelsOf(packageDir);
    if (kernels.length === 0) return [];
    const newest = Math.max(
      changedMs(import.meta.filename),
      newestBelow(join(packageDir, "kernel")),
    );
    return kernels.filter(({ target }) => !existsSync(target) || changedMs(target) < newest);
  });
}

/** Compiles kernels, one after the other. Throws what the compiler says. */
export async function compileKernels(kernels: readonly Kernel[]): Promise<void> {
  if (kernels.length === 0) return;
  const { createMemoryStream, main } = await import("assemblyscript/asc"); // Takes a while to load.
  for (const { source, target } of kernels) {
    let wasm: Uint8Array | null = null;
    const memory = OWNERS.has(basename(source)) ? OWN_MEMORY : ENGINES_MEMORY;
    const said = createMemoryStream();
    const { error } = await main([source, ...FLAGS, ...memory, "--outFile", "kernel.wasm"], {
      stderr: said,
      readFile: readKernel,
      writeFile: (_name, contents) => {
        if (contents instanceof Uint8Array) wasm = contents;
      },
    });
    if (error !== null || wasm === null) throw new Error(`${source}\n${said.toString()}`);
    if (sectionsOf(wasm).includes(DATA_SECTION)) {
      throw new Error(`${source}: a kernel has no static data: other modules would lie over it`);
    }
    mkdirSync(join(target, ".."), { recursive: true });
    await writeFile(target, wasm);
  }
}

/**
 * A source, or null where the compiler looks for one that is not there. Its decorator `@inline` stands in a comment: other tools
 * that read the repository's TypeScript know none before a function.
 */
async function readKernel(name: string, baseDir: string): Promise<string | null> {
  const text = await readFile(resolve(baseDir, name), "utf8").catch(() => null);
  return text?.replaceAll(/^\/\/ @inline$/gm, "@inline") ?? null;
}

/** Before tests, which run from sources. */
export async function setup(): Promise<void> {
  await compileKernels(staleKernels());
}

/** Ids of a module's sections. */
function sectionsOf(wasm: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < wasm.length;) {
    ids.push(wasm[at]!);
    let size = 0;
    let shift = 0;
    do {
      at += 1;
      size |= (wasm[at]! & 0x7f) << shift;
      shift += 7;
    } while (wasm[at]! >= 0x80);
    at += 1 + size;
  }
  return ids;
}

function newestBelow(dir: string): number {
  const names = readdirSync(dir, { recursive: true, encoding: "utf8" });
  return Math.max(...names.map((name) => changedMs(join(dir, name))));
}

function changedMs(path: string): number {
  return statSync(path).mtimeMs;
}

if (process.argv[1] === import.meta.filename) {
  const own = kernelsOf(process.cwd());
  await compileKernels(own.length > 0 ? own : staleKernels());
}
