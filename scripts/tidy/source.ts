/** Reading TypeScript just well enough: comments out, import specifiers found. */

/** A slash after one of these starts a regular expression, not a division. */
const BEFORE_REGEXP = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of))\s*$/;

/** The text with comments blanked out; lines and columns stay where they are. */
export function withoutComments(text: string): string {
  return blank(text, { strings: false });
}

/** The text with comments, and what is inside strings, blanked out. */
export function codeOnly(text: string): string {
  return blank(text, { strings: true });
}

/** The specifiers of all imports, static, dynamic, of types and of re-exports. */
export function importsOf(text: string): readonly string[] {
  const code = withoutComments(text);
  const found: string[] = [];
  const patterns = [
    /(?:^|[;}\n])\s*(?:import|export)\b[^"'`;]*?\bfrom\s*["']([^"']+)["']/g,
    /(?:^|[;}\n])\s*import\s*["']([^"']+)["']/g,
    /\bimport(?:\.meta\.resolve)?\s*\(\s*["'`]([^"'`]+)["'`]/g,
  ];
  for (const pattern of patterns) {
    for (const match of code.matchAll(pattern)) found.push(match[1]!);
  }
  return [...new Set(found)];
}

/** The package that a specifier names, or undefined for a relative or a built-in one. */
export function packageOf(specifier: string): string | undefined {
  if (/^(\.|\/|#|node:|file:|data:)/.test(specifier)) return undefined;
  const words = specifier.split("/");
  return specifier.startsWith("@") ? words.slice(0, 2).join("/") : words[0];
}

function blank(text: string, { strings }: { readonly strings: boolean }): string {
  let out = "";
  let at = 0;
  const keep = (until: number): void => {
    out += text.slice(at, until);
    at = until;
  };
  const hide = (until: number): void => {
    out += text.slice(at, until).replaceAll(/[^\n]/g, " ");
    at = until;
  };
  while (at < text.length) {
    const two = text.slice(at, at + 2);
    const one = two[0]!;
    if (two === "//") hide(endOf(text, "\n", at));
    else if (two === "/*") hide(Math.min(endOf(text, "*/", at + 2) + 2, text.length));
    else if (one === '"' || one === "'" || one === "`") {
      const end = endOfQuoted(text, at);
      keep(at + 1);
      if (strings) hide(Math.max(at, end - 1));
      keep(end);
    } else if (one === "/" && BEFORE_REGEXP.test(out.slice(-40))) {
      const end = endOfRegExp(text, at);
      keep(at + 1);
      hide(Math.max(at, end - 1));
      keep(end);
    } else keep(at + 1);
  }
  return out;
}

function endOf(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at === -1 ? text.length : at;
}

/** Past the closing quote. What a template holds in braces counts as part of the string. */
function endOfQuoted(text: string, from: number): number {
  const quote = text[from]!;
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === quote) return at + 1;
    else if (quote !== "`" && text[at] === "\n") return at;
    else if (quote === "`" && text.startsWith("${", at)) at = endOfBraces(text, at + 1) - 1;
  }
  return text.length;
}

/** Past the brace that closes the one at `from`. */
function endOfBraces(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const one = text[at]!;
    if (one === '"' || one === "'" || one === "`") at = endOfQuoted(text, at) - 1;
    else if (one === "{") depth++;
    else if (one === "}" && --depth === 0) return at + 1;
  }
  return text.length;
}

/** Past the slash that closes a regular expression. */
function endOfRegExp(text: string, from: number): number {
  let inClass = false;
  for (let at = from + 1; at < text.length; at++) {
    const one = text[at]!;
    if (one === "\\") at++;
    else if (one === "\n") return at;
    else if (one === "[") inClass = true;
    else if (one === "]") inClass = false;
    else if (one === "/" && !inClass) return at + 1;
  }
  return text.length;
}
