import type { Matcher } from "@varve/contracts";
import { corrupt } from "./read-errors.ts";
import type { BlockParts } from "./read-parts.ts";
import { SeriesEntry } from "./read-series.ts";
import type { SymbolTable } from "./read-symbols.ts";

/** Answers of a matcher that are remembered. */
const ANSWERS_MAX = 16_384;

interface Check {
  readonly matcher: Matcher;
  /** The symbol of its name. */
  readonly name: number;
  readonly takesEmpty: boolean;
  /** By symbol of a value. */
  readonly answers: Map<number, boolean>;
}

/** Asks matchers about the labels of one series. Their names occur in the block. */
export class SeriesCheck {
  readonly #symbols: SymbolTable;
  readonly #entry: SeriesEntry;
  readonly #checks: readonly Check[];

  constructor(parts: BlockParts, matchers: readonly Matcher[]) {
    this.#symbols = parts.symbols;
    this.#entry = new SeriesEntry(parts.index, parts.places);
    this.#checks = matchers.map((matcher) => ({
      matcher,
      name: nameSymbol(parts, matcher.name),
      takesEmpty: matcher.matches(""),
      answers: new Map(),
    }));
  }

  accepts(id: number): boolean {
    this.#entry.read(id);
    return this.acceptsEntry(this.#entry);
  }

  /** The same of a series whose labels were read. */
  acceptsEntry(entry: SeriesEntry): boolean {
    for (const check of this.#checks) if (!this.#passes(entry, check)) return false;
    return true;
  }

  #passes(entry: SeriesEntry, { matcher, name, takesEmpty, answers }: Check): boolean {
    const value = valueSymbol(entry, name);
    if (value < 0) return takesEmpty;
    const known = answers.get(value);
    if (known !== undefined) return known;
    if (answers.size === ANSWERS_MAX) answers.clear();
    const answer = matcher.matches(this.#symbols.text(value));
    answers.set(value, answer);
    return answer;
  }
}

/**
 * Looks once more at series that postings lists name: a list may be sound and lie where another belongs. Only matchers that
 * compare with known values are asked, because they cost nothing; null where there are none.
 */
export function listedCheck(parts: BlockParts, matchers: readonly Matcher[]): SeriesCheck | null {
  const asked = matchers.filter(
    ({ name, kind, values }) =>
      (values !== undefined || kind === "=" || kind === "!=") &&
      name !== "" &&
      parts.table.names.has(name),
  );
  return asked.length === 0 ? null : new SeriesCheck(parts, asked);
}

/** What a series says that a list names, and that lacks what the list is of. */
export const NOT_LISTED = "is listed for labels that it lacks";

/** The symbol of a label's value, or -1 when the series lacks the label. */
export function valueSymbol(entry: SeriesEntry, name: number): number {
  const { symbols, labelCount } = entry;
  for (let i = 0; i < labelCount; i += 1) if (symbols[2 * i] === name) return symbols[2 * i + 1]!;
  return -1;
}

/** The symbol of a name that the postings table has. */
export function nameSymbol({ symbols, index, places }: BlockParts, name: string): number {
  const symbol = symbols.numberOf(name);
  if (symbol < 0) throw corrupt(index.path, places.symbols, "the symbols are not in order");
  return symbol;
}
