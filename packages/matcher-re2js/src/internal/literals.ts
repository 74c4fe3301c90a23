/** What an expression's text alone tells of the values that can match. */
export interface Literals {
  /** All values that match, possibly repeated; null when they are many or not known. */
  readonly values: readonly string[] | null;
  /** Every value that matches begins with this. */
  readonly prefix: string;
}

/** More values than this are not listed: as many as Prometheus lists. */
const VALUES_MAX = 256;
const UNKNOWN: Literals = { values: null, prefix: "" };
const REPETITION = /(?:[*+]|\{\d+(?:,\d*)?\})\??/y;
const OPTION = /\?\??/y;
/** A backslash makes these ASCII characters plain. */
const ESCAPED = /\\[!-/:-@[-`{-~]/y;
const SHORTHAND = /\\[dDsSwW]/y;
const GROUP = /\((?:\?:)?(?!\?)/y;
/** A class without escapes and without named classes: its first character is not `]`. */
const CLASS = /\[(\^?)([^\]\\[]+)\]/y;
/** What is no plain character. */
const SPECIAL = new Set("\\^$.|?*+()[]{}");

/**
 * Reads off a well-formed expression which values can match, in the simple cases: literals, alternatives, groups, small
 * classes, `?`. Whatever else it meets is unknown, and says nothing wrong.
 */
export function literalsOf(pattern: string): Literals {
  const reader = new Reader(pattern);
  const literals = reader.alternatives();
  return reader.isLost || reader.at < pattern.length ? UNKNOWN : literals;
}

class Reader {
  at = 0;
  /** It met something that it does not know, and cannot tell where that ends. */
  isLost = false;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  alternatives(): Literals {
    let all = this.#sequence();
    while (!this.isLost && this.#text[this.at] === "|") {
      this.at += 1;
      const next = this.#sequence();
      all = {
        values: bounded(
          all.values,
          next.values,
          (a, b) => [...a, ...b],
          (a, b) => a + b,
        ),
        prefix: commonPrefix(all.prefix, next.prefix),
      };
    }
    return all;
  }

  #sequence(): Literals {
    let values: readonly string[] | null = [""];
    let prefix = "";
    let isPlain = true;
    while (!this.isLost && this.at < this.#text.length && !"|)".includes(this.#text[this.at]!)) {
      if (this.#isAnchor()) {
        this.at += 1;
        continue;
      }
      const atom = this.#repeated(this.#atom());
      if (isPlain) prefix += atom.prefix;
      isPlain &&= atom.values?.length === 1;
      values = bounded(values, atom.values, cross, (a, b) => a * b);
    }
    return { values, prefix };
  }

  /** `^` as the first and `$` as the last character: the whole expression is anchored anyway. */
  #isAnchor(): boolean {
    const text = this.#text;
    if (text[this.at] === "^") return this.at === 0 && !/^\^[*+?{]/.test(text);
    return text[this.at] === "$" && this.at === text.length - 1;
  }

  /** Looks whether an atom is optional or repeated. */
  #repeated(atom: Literals): Literals {
    if (this.#take(REPETITION) !== null) return this.#once(UNKNOWN);
    if (this.#take(OPTION) === null) return atom;
    const { values } = atom;
    return this.#once({ values: values === null ? null : [...values, ""], prefix: "" });
  }

  /** Nothing repeats what is repeated. */
  #once(atom: Literals): Literals {
    if ("*+?{".includes(this.#text[this.at] ?? " ")) this.isLost = true;
    return atom;
  }

  #atom(): Literals {
    const text = this.#text;
    if (text[this.at] === ".") {
      this.at += 1;
      return UNKNOWN;
    }
    if (this.#take(SHORTHAND) !== null) return UNKNOWN;
    const escaped = this.#take(ESCAPED);
    if (escaped !== null) return literal(escaped[0].slice(1));
    const set = this.#take(CLASS);
    if (set !== null) return set[1] === "^" ? UNKNOWN : classOf(set[2]!);
    if (this.#take(GROUP) !== null) return this.#group();
    const character = String.fromCodePoint(text.codePointAt(this.at)!);
    if (SPECIAL.has(character)) {
      this.isLost = true;
      return UNKNOWN;
    }
    this.at += character.length;
    return literal(character);
  }

  #group(): Literals {
    const inner = this.alternatives();
    if (this.#text[this.at] === ")") this.at += 1;
    else this.isLost = true;
    return inner;
  }

  #take(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.at;
    const found = expression.exec(this.#text);
    if (found !== null) this.at += found[0].length;
    return found;
  }
}

function literal(text: string): Literals {
  return { values: [text], prefix: text };
}

/** The characters of a class: single ones and ranges. */
function classOf(text: string): Literals {
  const points = Array.from(text, (character) => character.codePointAt(0)!);
  const values: string[] = [];
  for (let i = 0; i < points.length; i += 1) {
    const isRange = points[i + 1] === 0x2d && i + 2 < points.length;
    const last = isRange ? points[i + 2]! : points[i]!;
    if (values.length + last - points[i]! >= VALUES_MAX) return UNKNOWN;
    for (let point = points[i]!; point <= last; point += 1)
      values.push(String.fromCodePoint(point));
    if (isRange) i += 2;
  }
  return { values, prefix: values.length === 1 ? values[0]! : "" };
}

/** Joins two lists of values, where both are known and the result stays small. */
function bounded(
  a: readonly string[] | null,
  b: readonly string[] | null,
  join: (a: readonly string[], b: readonly string[]) => string[],
  count: (a: number, b: number) => number,
): readonly string[] | null {
  if (a === null || b === null || count(a.length, b.length) > VALUES_MAX) return null;
  return join(a, b);
}

function cross(a: readonly string[], b: readonly string[]): string[] {
  return a.flatMap((head) => b.map((tail) => head + tail));
}

/** Ends between characters, never inside a pair of surrogates. */
function commonPrefix(a: string, b: string): string {
  let at = 0;
  while (at < a.length && a.codePointAt(at) === b.codePointAt(at)) {
    at += a.codePointAt(at)! > 0xffff ? 2 : 1;
  }
  return a.slice(0, at);
}
