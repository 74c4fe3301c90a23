import { StorageError, type Memory } from "@varve/contracts";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Compiled modules by URL: instances of one share their code. */
const MODULES = new Map<string, WebAssembly.Module>();

/**
 * Instantiates a kernel over a memory, and answers its exports. `url` names the `.wasm` that lies in the caller's own
 * package: `new URL("../dist/kernel/NAME.wasm", import.meta.url)` holds for sources and for what is built from them.
 *
 * A kernel takes and returns byte offsets of the memory; unsigned ones come back as signed words: `>>> 0`. Throws PLAN without a
 * memory, and NOT_FOUND where the file is missing, which only a source tree that was never built is short of.
 */
export function loadKernel<Exports>(url: URL, memory: Memory | undefined): Exports {
  if (memory === undefined) {
    throw new StorageError(
      "PLAN",
      `${url.pathname.replace(/^.*\//, "")}: a kernel works in a linear memory; give one to \`open\`, as engines do`,
    );
  }
  return instantiate<Exports>(url, { env: { memory: memory.wasm } });
}

/** Instantiates a kernel that brings a memory of its own. Throws NOT_FOUND where the file is missing. */
export function loadOwnKernel<Exports>(url: URL): Exports {
  return instantiate<Exports>(url, {});
}

function instantiate<Exports>(url: URL, imports: WebAssembly.Imports): Exports {
  let module = MODULES.get(url.href);
  if (module === undefined) {
    module = new WebAssembly.Module(read(url));
    MODULES.set(url.href, module);
  }
  return new WebAssembly.Instance(module, imports).exports as Exports;
}

function read(url: URL): Uint8Array {
  try {
    return readFileSync(url);
  } catch (cause) {
    const path = fileURLToPath(url);
    throw new StorageError(
      "NOT_FOUND",
      `${path}: the kernel is not there; nothing was touched; in a source tree, build it with \`pnpm build\``,
      { cause, facts: { path } },
    );
  }
}
