import { type Package, type Repository, sourcesOf, tagOf } from "./repository.ts";
import { codeOnly } from "./source.ts";

/** Longest file without a warning, in lines: one past it is usually two ideas. */
const LINES_WARN = 300;

/** Longest file, in lines. */
const LINES_MAX = 500;

/** Tags whose packages talk to a person. */
const SPEAKS = new Set(["app", "bench"]);

export interface TextReport {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** What a program can see in the text of a source: its length, and a few words. */
export function checkText(repository: Repository): TextReport {
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const pkg of repository.packages) {
    for (const path of sourcesOf(pkg, "src")) {
      const where = `${pkg.dir}/${path}`;
      const lines = pkg.files[path]!.trimEnd().split("\n").length;
      if (lines > LINES_MAX) problems.push(`${where}: ${lines} lines, the most is ${LINES_MAX}`);
      else if (lines > LINES_WARN) warnings.push(`${where}: ${lines} lines, two ideas?`);
      problems.push(...checkWords(pkg, path));
    }
    for (const path of sourcesOf(pkg, "test")) problems.push(...checkTodos(pkg, path));
  }
  return { problems, warnings };
}

function checkWords(pkg: Package, path: string): string[] {
  const rules: (readonly [RegExp, string])[] = [
    [/^\s*export\s+default\b|\bas\s+default\b/m, "no default export"],
    [/^\s*(export\s+)?(declare\s+)?(const\s+)?enum\s+\w/m, "no enum"],
    [/^\s*(export\s+)?namespace\s+\w/m, "no namespace"],
  ];
  if (!SPEAKS.has(tagOf(pkg))) rules.push([/\bconsole\s*\./, "no console"]);
  const code = codeOnly(pkg.files[path]!);
  const found = rules.flatMap(([pattern, complaint]) => {
    const match = pattern.exec(code);
    if (match === null) return [];
    const line = code.slice(0, match.index + match[0].search(/\S/)).split("\n").length;
    return [`${pkg.dir}/${path}:${line}: ${complaint}`];
  });
  return [...found, ...checkTodos(pkg, path)];
}

/** Comments and strings count here: a note for later names the issue it belongs to. */
function checkTodos(pkg: Package, path: string): string[] {
  return pkg.files[path]!.split("\n").flatMap((line, at) => {
    const bare = /\b(TODO|FIXME|XXX)\b(?!\s*\(?#\d)/.test(line);
    return bare ? [`${pkg.dir}/${path}:${at + 1}: a TODO names its issue, as TODO(#12)`] : [];
  });
}
