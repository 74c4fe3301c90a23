import { expect, test } from "vitest";
import { checkImports } from "../tidy/imports.ts";
import { checkNames, factoryName } from "../tidy/names.ts";
import type { Package, Repository } from "../tidy/repository.ts";
import { checkShape } from "../tidy/shape.ts";
import { codeOnly, importsOf, packageOf, withoutComments } from "../tidy/source.ts";
import { checkText } from "../tidy/text.ts";

const LICENSE = "the licence\n";

const VARIANT = `import type { Variant } from "@varve/contracts";

export function batchedWal(): Variant {
  return { name: "batched" };
}
`;

interface Changes {
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly files?: Readonly<Record<string, string | undefined>>;
}

/** A package that breaks no rule, but for the changes. */
function wal({ manifest = {}, files = {} }: Changes = {}): Package {
  const all: Record<string, string | undefined> = {
    LICENSE,
    "README.md": '# @varve/wal\n\nA log.\n\n```ts\nimport "@varve/wal/batched";\n```\n',
    "tsconfig.json": json({ extends: "../../tsconfig.base.json", include: ["src", "test"] }),
    "tsconfig.build.json": json({
      extends: "../../tsconfig.build.json",
      compilerOptions: { rootDir: "src", outDir: "dist" },
      include: ["src"],
    }),
    "turbo.json": json({ extends: ["//"], tags: ["part"] }),
    "src/batched.ts": VARIANT,
    "test/batched.test.ts": 'import { certify } from "@varve/conformance";\n',
    ...files,
  };
  const present = Object.entries(all).filter(([, text]) => text !== undefined);
  return {
    dir: "packages/wal",
    manifest: {
      name: "@varve/wal",
      version: "0.0.0",
      description: "A log.",
      keywords: ["varve"],
      license: "Apache-2.0",
      files: ["dist", "src", "LICENSE", "README.md"],
      type: "module",
      sideEffects: false,
      exports: {
        "./batched": {
          "@varve/source": "./src/batched.ts",
          types: "./dist/batched.d.ts",
          default: "./dist/batched.js",
        },
      },
      publishConfig: { access: "public" },
      scripts: { build: "tsc -p tsconfig.build.json" },
      dependencies: { "@varve/contracts": "workspace:^" },
      devDependencies: { "@varve/conformance": "workspace:^" },
      engines: { node: ">=22.13" },
      ...manifest,
    },
    files: Object.fromEntries(present) as Record<string, string>,
  };
}

/** A package of which only the name and the tag matter. */
function other(name: string, tag: string): Package {
  const files = { "turbo.json": json({ extends: ["//"], tags: [tag] }) };
  return { dir: `packages/${name}`, manifest: { name: `@varve/${name}`, private: true }, files };
}

function around(pkg: Package): Repository {
  return {
    packages: [
      pkg,
      other("contracts", "contracts"),
      other("conformance", "conformance"),
      other("chunk", "part"),
    ],
    allowed: {
      contracts: [],
      conformance: ["contracts"],
      part: ["contracts", "conformance"],
    },
    license: LICENSE,
  };
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

test("a tidy package has no problems", () => {
  const repository = around(wal());
  expect(checkImports(repository)).toEqual([]);
  expect(checkShape(repository)).toEqual([]);
  expect(checkNames(repository)).toEqual([]);
  expect(checkText(repository)).toEqual({ problems: [], warnings: [] });
});

test.each([
  ["another part", 'export * from "@varve/chunk/xor";', "part may not import part"],
  ["conformance in what ships", 'import "@varve/conformance";', "dependencies do not name"],
  ["a package that no manifest names", 'import { x } from "left-pad";', "do not name"],
  ["itself by name", 'import "@varve/wal/batched";', "which is itself"],
  ["a file outside src", 'import { x } from "../test/help.ts";', "outside its own folder"],
  ["the output of a source", 'import { x } from "./queue.js";', "write .ts"],
  ["a type by import()", 'type X = import("@varve/chunk").X;', "part may not import part"],
])("import direction: refuses %s", (_, line, complaint) => {
  const pkg = wal({ files: { "src/batched.ts": `${VARIANT}${line}\n` } });
  expect(checkImports(around(pkg)).join("\n")).toContain(complaint);
});

test("import direction: conformance is for tests even when it is a dependency", () => {
  const dependencies = { "@varve/contracts": "workspace:^", "@varve/conformance": "workspace:^" };
  const files = { "src/batched.ts": `import "@varve/conformance";\n${VARIANT}` };
  const problems = checkImports(around(wal({ manifest: { dependencies }, files })));
  expect(problems.join("\n")).toContain("part may import conformance only in tests");
});

test("import direction: an import in a comment or a string does not count", () => {
  const lines = '// import "@varve/chunk";\nexport const text = `import "@varve/chunk";`;\n';
  const pkg = wal({ files: { "src/batched.ts": VARIANT + lines } });
  expect(checkImports(around(pkg))).toEqual([]);
});

test.each([
  ["a licence of its own", { files: { LICENSE: "mine" } }, "LICENSE is a copy"],
  ["no licence", { files: { LICENSE: undefined } }, "LICENSE is a copy"],
  ["a page without an example", { files: { "README.md": "# @varve/wal\n" } }, "an example"],
  ["a page with another title", { files: { "README.md": "# Wal\n\n```ts\n```\n" } }, "begins with"],
  ["a field of its own", { manifest: { main: "x" } }, "a field of its own: main"],
  ["an older Node", { manifest: { engines: { node: ">=18" } } }, "for engines"],
  ["no description", { manifest: { description: undefined } }, "no description"],
  ["a compiler setting of its own", { files: { "tsconfig.json": "{}" } }, "tsconfig.json is"],
  [
    "a workspace package by number",
    { manifest: { dependencies: { "@varve/contracts": "1.0.0" } } },
    '@varve/contracts is "workspace:^"',
  ],
  [
    "a third-party dependency",
    { manifest: { dependencies: { lmdb: "3.5.6" } } },
    "gets a package named for it",
  ],
  [
    "an export without types",
    { manifest: { exports: { "./batched": { "@varve/source": "./src/batched.ts" } } } },
    "./dist/batched.d.ts",
  ],
])("package shape: refuses %s", (_, changes: Changes, complaint) => {
  expect(checkShape(around(wal(changes))).join("\n")).toContain(complaint);
});

test("package shape: a third-party dependency may have a package named for it", () => {
  const pkg = wal({ manifest: { dependencies: { lmdb: "3.5.6" } } });
  expect(checkShape(around({ ...pkg, dir: "packages/series-index-lmdb" }))).toEqual([]);
});

test("package shape: a package may ship a data folder", () => {
  const files = ["dist", "src", "data", "LICENSE", "README.md"];
  expect(checkShape(around(wal({ manifest: { files } })))).toEqual([]);
});

test.each([
  ["factory", { "src/batched.ts": 'const name = { name: "batched" };' }, "exports batchedWal()"],
  ["name", { "src/batched.ts": "export function batchedWal() {}" }, 'says name: "batched"'],
  ["test file", { "test/batched.test.ts": undefined }, "has test/batched.test.ts"],
])("five names: misses the %s", (_, files, complaint) => {
  expect(checkNames(around(wal({ files }))).join("\n")).toContain(complaint);
});

test.each([
  ["series-index", "open-addressed", "openAddressedIndex"],
  ["series-id", "fnv1a", "fnv1aId"],
  ["series-id", "xxh64-wasm", "xxh64WasmId"],
  ["label-key", "plain", "plainKey"],
  ["block-manager", "on-full", "onFullBlocks"],
  ["locks", "none", "noneLocks"],
])("five names: in %s, %s is made by %s()", (slot, variant, factory) => {
  expect(factoryName(slot, variant)).toBe(factory);
});

test("five names: a package that is one variant is named for its slot and the variant", () => {
  const exports = {
    ".": {
      "@varve/source": "./src/lmdb.ts",
      types: "./dist/lmdb.d.ts",
      default: "./dist/lmdb.js",
    },
  };
  const code = 'export function lmdbIndex() {\n  return { name: "lmdb" };\n}\n';
  const files = { "src/lmdb.ts": code, "test/lmdb.test.ts": "" };
  const pkg = { ...wal({ manifest: { exports }, files }), dir: "packages/series-index-lmdb" };
  expect(checkNames(around(pkg))).toEqual([]);
});

test("length: warns past 300 lines, and refuses more than 500", () => {
  const long = (lines: number): Repository =>
    around(wal({ files: { "src/batched.ts": "// A line.\n".repeat(lines) } }));
  expect(checkText(long(300))).toEqual({ problems: [], warnings: [] });
  expect(checkText(long(301)).warnings).toHaveLength(1);
  expect(checkText(long(500)).problems).toEqual([]);
  expect(checkText(long(501)).problems).toHaveLength(1);
});

test.each([
  ["console", 'console.log("x");', "src/batched.ts:1: no console"],
  ["a default export", "\nexport default 1;", "src/batched.ts:2: no default export"],
  ["an enum", "export const enum Mode { A }", "no enum"],
  ["a namespace", "export namespace Wal {}", "no namespace"],
  ["a note without an issue", "// TODO: later", "a TODO names its issue"],
])("words: refuses %s", (_, code, complaint) => {
  const { problems } = checkText(around(wal({ files: { "src/batched.ts": code } })));
  expect(problems.join("\n")).toContain(complaint);
});

test("words: accepts them in comments and strings, and a TODO with its issue", () => {
  const code = '// Never console.log; see TODO(#12).\nexport const text = "export default";\n';
  expect(checkText(around(wal({ files: { "src/batched.ts": code } }))).problems).toEqual([]);
});

test("reading source: finds every kind of import once", () => {
  const code = `import { a } from "a";
import type { B } from 'b/c';
import "d";
import {
  e,
} from "@s/e";
export * from "./f.ts";
const g = await import("g");
const h = import.meta.resolve("h");
export { a } from "a";
`;
  const wanted = ["a", "b/c", "@s/e", "./f.ts", "d", "g", "h"];
  expect(importsOf(code)).toEqual(wanted);
});

test("reading source: a regular expression may hold quotes and slashes", () => {
  const code = `const quote = /["'/]/; // out\nimport "a";\nconst half = 4 / 2; const path = "b//c";`;
  expect(importsOf(code)).toEqual(["a"]);
  expect(withoutComments(code)).not.toContain("out");
  expect(withoutComments(code)).toContain("b//c");
});

test("reading source: blanking keeps every line where it was", () => {
  const code = "/* one\n two */ const a = `x ${b(`y`)} // z`;\nc();";
  const blanked = codeOnly(code);
  expect(blanked).toHaveLength(code.length);
  expect(blanked.split("\n")[2]).toBe("c();");
  expect(blanked).not.toContain("z");
});

test("reading source: names the package of a specifier", () => {
  expect(packageOf("@varve/wal/batched")).toBe("@varve/wal");
  expect(packageOf("lmdb/sub")).toBe("lmdb");
  expect(packageOf("./x.ts")).toBeUndefined();
  expect(packageOf("node:fs")).toBeUndefined();
});
