import { type Package, type Repository, shortName, tagOf } from "./repository.ts";
import { withoutComments } from "./source.ts";

/** Each slot, and the word that ends the factories of its variants. */
const SLOTS: Readonly<Record<string, string>> = {
  "label-key": "Key",
  "series-id": "Id",
  "series-index": "Index",
  record: "Record",
  wal: "Wal",
  allocator: "Allocator",
  chunk: "Chunk",
  "block-manager": "Blocks",
  postings: "Postings",
  locks: "Locks",
};

/** The export of a part that is not a variant. */
const INSPECT = "./inspect";

/**
 * A variant has one name in five places: `batched.ts`, `@varve/wal/batched`, `batchedWal()`,
 * `name: "batched"`, `batched.test.ts`. What a package exports decides which variants there are; `./inspect`, which
 * looks at what variants leave on disk, is none.
 */
export function checkNames(repository: Repository): readonly string[] {
  return repository.packages
    .filter((pkg) => tagOf(pkg) === "part")
    .flatMap((pkg) => checkPart(pkg).map((problem) => `${pkg.dir}: ${problem}`));
}

/** The factory of a variant: `open-addressed` of `series-index` is `openAddressedIndex`. */
export function factoryName(slot: string, variant: string): string {
  return variant.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()) + SLOTS[slot]!;
}

function checkPart(pkg: Package): string[] {
  const short = shortName(pkg);
  // `series-index-lmdb` fills `series-index`: the longest slot that its name begins with.
  const slot = Object.keys(SLOTS)
    .filter((each) => short === each || short.startsWith(`${each}-`))
    .toSorted((a, b) => b.length - a.length)[0];
  if (slot === undefined) return [`${short} begins with the name of a slot`];
  const problems: string[] = [];
  for (const [subpath, conditions] of Object.entries(pkg.manifest.exports ?? {})) {
    const alone = subpath === ".";
    const variant: string = alone ? short.slice(slot.length + 1) : subpath.slice(2);
    const file = `src/${variant}.ts`;
    if (conditions["@varve/source"] !== `./${file}`) problems.push(`export ${subpath} is ${file}`);
    const test = `test/${variant}.test.ts`;
    if (pkg.files[test] === undefined) problems.push(`${variant} has ${test}`);
    if (subpath === INSPECT) continue;
    const code = withoutComments(pkg.files[file] ?? "");
    const factory = factoryName(slot, variant);
    if (!new RegExp(`^export (async )?(function|const) ${factory}\\b`, "m").test(code)) {
      problems.push(`${file} exports ${factory}()`);
    }
    if (!code.includes(`name: "${variant}"`)) problems.push(`${file} says name: "${variant}"`);
  }
  return problems;
}
