import { isStorageError } from "@varve/contracts";
import { formatSelector } from "@varve/matcher";
import { notRegexp, regexp, selector } from "@varve/matcher-re2js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

describe("regexp", () => {
  test.each<[string, string, boolean]>([
    ["a|b", "b", true],
    ["a|b", "ab", false],
    ["a.b", "a\nb", false],
    ["(?s)a.b", "a\nb", true],
    ["a.*", "a", true],
    [".+", "", false],
    ["", "", true],
    ["", "x", false],
    ["^axb$", "axb", true],
    ["a$", "a\n", false],
    ["(?i)AXB", "axb", true],
    ["(?i)ab|cd", "CD", true],
    ["\\Qa|b\\E", "a|b", true],
    ["\\pL+", "é", true],
    [".", "\u{1f600}", true],
    ["[\u{1f600}-\u{1f602}]x", "\u{1f601}x", true],
    ["foo|bar$|^baz", "baz", true],
    ["a{2}", "aa", true],
    ["[[:alpha:]]", "a", true],
    ["[a-]", "-", true],
    ["(a|b)?", "", true],
  ])("%s on %j is %s", (pattern, value, expected) => {
    expect(regexp("l", pattern).matches(value)).toBe(expected);
    expect(notRegexp("l", pattern).matches(value)).toBe(!expected);
  });

  test.each<[string, string[] | undefined]>([
    ["a|b|c", ["a", "b", "c"]],
    ["(a|b)", ["a", "b"]],
    ["(?:a|b)-(1|2)", ["a-1", "a-2", "b-1", "b-2"]],
    ["host-[0-3]", ["host-0", "host-1", "host-2", "host-3"]],
    ["[ab-]", ["a", "b", "-"]],
    ["a\\.b|c\\|d", ["a.b", "c|d"]],
    ["^(up|down)$", ["up", "down"]],
    ["ab?", ["ab", "a"]],
    ["a|a", ["a"]],
    ["a|", ["a", ""]],
    ["", [""]],
    ["\u{1f600}|é", ["\u{1f600}", "é"]],
    ["[0-9][0-9]", Array.from({ length: 100 }, (_, i) => String(i).padStart(2, "0"))],
    ["[0-9][0-9][0-9]", undefined],
    ["a|b.*", undefined],
    ["(?i)a", undefined],
    ["(?i:a)|b", undefined],
    ["a{2}", undefined],
    ["a|\\d", undefined],
    ["[^a]", undefined],
    ["a^b", undefined],
    ["[[:digit:]]", undefined],
  ])("knows the values of %s", (pattern, values) => {
    expect(regexp("l", pattern).values).toEqual(values);
    expect(notRegexp("l", pattern).values).toBeUndefined();
  });

  test.each<[string, string | undefined]>([
    ["node-.*", "node-"],
    ["node-1+", "node-"],
    ["nodes?-.*", "node"],
    ["node-a.*|node-b.+", "node-"],
    ["(web|web-a).*", "web"],
    ["^cpu\\..+", "cpu."],
    ["ab{2}", "a"],
    ["a|b.*", undefined],
    [".*", undefined],
    ["(?i)web.*", undefined],
    ["\u{1f600}.*|\u{1f601}.*", undefined],
  ])("knows the prefix of %s", (pattern, prefix) => {
    expect(regexp("l", pattern).prefix).toBe(prefix);
    expect(notRegexp("l", pattern).prefix).toBeUndefined();
  });

  test.each([
    "a)|(b",
    "(",
    "[z-a]",
    "a{1001}",
    "x*+",
    "a(?=x)",
    "(?<=a)b",
    "\\C",
    "a\\",
    "*",
    "\\1",
  ])("refuses %s with RE2's words", (pattern) => {
    for (const make of [regexp, notRegexp]) {
      let thrown: unknown;
      try {
        make("host", pattern);
      } catch (error) {
        thrown = error;
      }
      expect(isStorageError(thrown, "INPUT")).toBe(true);
      expect(thrown).toMatchObject({ facts: { label: "host", expression: pattern } });
      expect((thrown as Error).message).toMatch(
        /^label host: error parsing regexp: .*RE2's syntax/,
      );
    }
  });

  test("is linear where backtracking is exponential", () => {
    expect(regexp("l", "(a*)*b").matches("a".repeat(20_000))).toBe(false);
  });

  test("stays right while more expressions are used than are kept compiled", () => {
    for (let round = 0; round < 2; round += 1) {
      const matchers = Array.from({ length: 200 }, (_, i) => regexp("l", `x${i}.*`));
      for (const [i, each] of matchers.entries()) {
        expect(each.matches(`x${i}`)).toBe(true);
        expect(each.matches(`y${i}`)).toBe(false);
      }
    }
  });
});

test("selector parses all four kinds, and says where an expression is malformed", () => {
  const text = 'cpu{a="1",b!="2",c=~"x|y",d!~"z.*"}';
  const matchers = selector(text);
  expect(formatSelector(matchers)).toBe(text);
  expect(matchers.map(({ kind }) => kind)).toEqual(["=", "=", "!=", "=~", "!~"]);
  expect(() => selector('{a="1",b=~"("}')).toThrow(
    /at 11: label b: error parsing regexp: missing closing \)/,
  );
});

/** Expressions that mean the same to JavaScript, with all of their pieces. */
const pattern = fc.letrec<{ any: string; atom: string; item: string; sequence: string }>((tie) => ({
  atom: fc.oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom("a", "b", "ab", "c", "-", "é", "\u{1f600}", "\\.", "\\|", "\\-"),
    },
    { weight: 2, arbitrary: fc.constantFrom(".", "[ab]", "[a-c]", "[^a]", "\\d", "[b\u{1f600}]") },
    { weight: 2, arbitrary: tie("any").map((inner) => `(${inner})`) },
    { weight: 1, arbitrary: tie("any").map((inner) => `(?:${inner})`) },
  ),
  item: fc.tuple(tie("atom"), fc.constantFrom("", "", "", "?", "*", "+", "{2}", "??", "*?")).map(
    // Of two characters a quantifier repeats one, in both.
    ([atom, quantifier]) => atom + quantifier,
  ),
  sequence: fc.array(tie("item"), { maxLength: 3 }).map((items) => items.join("")),
  any: fc.array(tie("sequence"), { minLength: 1, maxLength: 3 }).map((all) => all.join("|")),
})).any;

const value = fc
  .array(fc.constantFrom("a", "b", "c", "ab", "-", "é", "\u{1f600}", ".", "|", "1"), {
    maxLength: 5,
  })
  .map((parts) => parts.join(""));

test("matches, lists values and knows prefixes as JavaScript's expressions do where they mean the same", () => {
  fc.assert(
    fc.property(pattern, fc.array(value, { minLength: 1, maxLength: 20 }), (text, values) => {
      const expression = new RegExp(`^(?:${text.replaceAll("\\-", "-")})$`, "u");
      const matcher = regexp("l", text);
      const not = notRegexp("l", text);
      for (const each of [...values, ...(matcher.values ?? [])]) {
        const expected = expression.test(each);
        expect(matcher.matches(each), `${text} on ${each}`).toBe(expected);
        expect(not.matches(each), `not ${text} on ${each}`).toBe(!expected);
        if (!expected) continue;
        if (matcher.values !== undefined) expect(matcher.values).toContain(each);
        expect(each.startsWith(matcher.prefix ?? "")).toBe(true);
      }
      for (const each of matcher.values ?? [])
        expect(expression.test(each), `${text}: ${each}`).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
