import type { Random } from "@varve/bytes";
import type { Matcher } from "@varve/contracts";
import { equal, formatSelector, notEqual, parseSelector } from "@varve/matcher";
import { Broken } from "../../row.ts";
import { mutate, replaced } from "./bytes.ts";
import { fuzzRow, type FuzzTarget, Refusal, type Sound } from "./fuzz-row.ts";

interface SoundSelector extends Sound {
  readonly matchers: readonly Matcher[];
}

const NAMES = ["__name__", "host", "my.label", "ü", "a"];
const VALUES = [
  "",
  "a",
  'say "hi"',
  "back\\slash",
  "two\nlines",
  "🜚",
  "`",
  "'",
  "\u0007\u007f",
  "x".repeat(60),
];
const SNIPPETS = [
  "{",
  "}",
  '"',
  "'",
  "`",
  ",",
  "=",
  "!=",
  "=~",
  "!~",
  "\\",
  "\\x41",
  "\\377",
  "\\400",
  "\\u00e9",
  "\\ud800",
  "\\U0001f71a",
  "\\U00110000",
  "\\n",
  "\\'",
  "\\c",
  "#",
  "\n",
  " ",
  "\t",
  "up",
  "host",
  "\u00c0\u0080",
  "\u00ed\u00a0\u0080",
  "\0",
];

/** Selectors. */
export const SELECTOR_ROW = fuzzRow("selector", "selectors", openTarget);

function openTarget(): FuzzTarget<SoundSelector, readonly Matcher[]> {
  return {
    codes: ["INPUT"],
    make(random) {
      const matchers = drawMatchers(random);
      const text = random.chance(0.5) ? formatSelector(matchers) : spelled(matchers, random);
      return { bytes: new Uint8Array(Buffer.from(text)), matchers };
    },
    change: changeTokens,
    decode: (bytes) => parseSelector(Buffer.from(bytes).toString("utf8"), { regexp }),
    judge(found, { bytes, origin, isIntact }) {
      if (found instanceof Refusal) {
        judgeRefusal(found, bytes);
        return;
      }
      const text = textOf(found);
      if (isIntact && text !== textOf(origin.matchers))
        throw new Broken("wrong", `${text} is read`);
      if (found.some(({ name }) => name === "")) throw new Broken("wrong", "a name is empty");
      const again = parseSelector(formatSelector(found), { regexp });
      if (textOf(again) !== text) throw new Broken("wrong", `${text} becomes ${textOf(again)}`);
    },
  };
}

const regexp = (name: string, kind: "=~" | "!~", value: string): Matcher => ({
  name,
  kind,
  value,
  matches: () => false,
});

function textOf(matchers: readonly Matcher[]): string {
  return JSON.stringify(matchers.map(({ name, kind, value }) => [name, kind, value]));
}

/** A refusal says where, and that lies in the text. */
function judgeRefusal({ error }: Refusal, bytes: Uint8Array): void {
  const { offset } = (error as { facts?: { offset?: unknown } }).facts ?? {};
  const text = Buffer.from(bytes).toString("utf8");
  const isPlace = typeof offset === "number" && offset >= 0 && offset <= text.length;
  if (!isPlace) throw new Broken("wrong", `a refusal names the place ${String(offset)}`);
}

function drawMatchers(random: Random): Matcher[] {
  const matchers: Matcher[] = random.chance(0.5)
    ? [equal("__name__", random.pick(["up", "a:b"]))]
    : [];
  for (let left = random.below(4); left > 0; left -= 1) {
    const name = random.pick(NAMES);
    const value = random.pick(VALUES);
    const kind = random.below(4);
    if (kind === 0) matchers.push(equal(name, value));
    else if (kind === 1) matchers.push(notEqual(name, value));
    else matchers.push(regexp(name, kind === 2 ? "=~" : "!~", value));
  }
  return matchers;
}

/** Another spelling of the same: other quotes and escapes, blanks, comments, commas. */
function spelled(matchers: readonly Matcher[], random: Random): string {
  const blank = (): string => random.pick(["", "", " ", "\t", "\n", "# {\n"]);
  const parts = matchers.map(({ name, kind, value }) => {
    const label = /^[a-zA-Z_]\w*$/.test(name) && random.chance(0.7) ? name : quoted(name, random);
    return [label, kind, quoted(value, random)].map((part) => blank() + part + blank()).join("");
  });
  const comma = parts.length > 0 && random.chance(0.3) ? "," : "";
  return `${blank()}{${parts.join(",")}${comma}${blank()}}${blank()}`;
}

function quoted(text: string, random: Random): string {
  if (!text.includes("`") && random.chance(0.2)) return `\`${text}\``;
  const quote = random.pick(['"', "'"]);
  let out = quote;
  for (const character of text) {
    const kind = random.below(12);
    const bytes = Buffer.from(character);
    if (kind === 0)
      out += [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
    else if (kind === 1)
      out += [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
    else if (kind === 2) out += `\\U${character.codePointAt(0)!.toString(16).padStart(8, "0")}`;
    else if (character === "\n") out += "\\n";
    else if (character === "\\" || character === quote) out += `\\${character}`;
    else out += character;
  }
  return out + quote;
}

/** Puts what means something, or nearly does, somewhere; sometimes a text longer than any stack has room for. */
function changeTokens(sound: SoundSelector, other: SoundSelector, random: Random): Uint8Array {
  if (random.chance(0.002)) {
    const long = random.pick(["x", "\\n", " ", "#\n", "a='',", "é"]).repeat(random.below(30_000));
    return Buffer.from(random.chance(0.5) ? `{a="${long}"}` : `{${long}}`);
  }
  let { bytes } = sound;
  do {
    const at = random.below(bytes.length + 1);
    const until = Math.min(bytes.length, at + random.below(3));
    bytes = replaced(bytes, at, until, Buffer.from(random.pick(SNIPPETS), "latin1"));
  } while (random.chance(0.5));
  return random.chance(0.2) ? mutate(random, bytes, other.bytes, 0.4) : bytes;
}
