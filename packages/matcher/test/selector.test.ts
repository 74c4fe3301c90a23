import { isStorageError, type Matcher } from "@varve/contracts";
import {
  acceptsEmpty,
  equal,
  formatSelector,
  matchersOf,
  notEqual,
  parseSelector,
  type RegexpFactory,
} from "@varve/matcher";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

/** Expressions as JavaScript has them: enough to see what the parser hands on. */
const regexp: RegexpFactory = (name, kind, value) => {
  const expression = new RegExp(`^(?:${value})$`, "u");
  return { name, kind, value, matches: (other) => expression.test(other) === (kind === "=~") };
};

type Triple = [name: string, kind: string, value: string];

function triples(matchers: readonly Matcher[]): Triple[] {
  return matchers.map(({ name, kind, value }) => [name, kind, value]);
}

function parsed(text: string): Triple[] {
  return triples(parseSelector(text, { regexp }));
}

function refusal(text: string): Error & { facts: Record<string, unknown> } {
  try {
    parseSelector(text, { regexp });
  } catch (error) {
    if (isStorageError(error, "INPUT")) return error as never;
    throw error;
  }
  throw new Error(`${text} was taken`);
}

describe("matchers", () => {
  test("accept what they are defined to, and take a missing label for an empty value", () => {
    expect(equal("a", "x").matches("x")).toBe(true);
    expect(equal("a", "x").matches("")).toBe(false);
    expect(equal("a", "x").values).toEqual(["x"]);
    expect(notEqual("a", "x").matches("x")).toBe(false);
    expect(notEqual("a", "x").values).toBeUndefined();
    expect([equal("a", ""), notEqual("a", "x")].map(acceptsEmpty)).toEqual([true, true]);
    expect([equal("a", "x"), notEqual("a", "")].map(acceptsEmpty)).toEqual([false, false]);
    const labels = { __name__: "m", b: "" };
    expect(triples(matchersOf(labels))).toEqual([
      ["__name__", "=", "m"],
      ["b", "=", ""],
    ]);
  });
});

describe("parseSelector", () => {
  test.each<[string, Triple[]]>([
    ["up", [["__name__", "=", "up"]]],
    ["a:b", [["__name__", "=", "a:b"]]],
    ["{}", []],
    ["up{}", [["__name__", "=", "up"]]],
    [
      ' up \n{ a = "1" , } # the end',
      [
        ["__name__", "=", "up"],
        ["a", "=", "1"],
      ],
    ],
    [
      '{a="1",b!="2",c=~"x|y",d!~"z"}',
      [
        ["a", "=", "1"],
        ["b", "!=", "2"],
        ["c", "=~", "x|y"],
        ["d", "!~", "z"],
      ],
    ],
    ['{__name__=~"a.*"}', [["__name__", "=~", "a.*"]]],
    [
      'm{__name__="x"}',
      [
        ["__name__", "=", "m"],
        ["__name__", "=", "x"],
      ],
    ],
    [
      '{"my.metric","l.x"="v"}',
      [
        ["__name__", "=", "my.metric"],
        ["l.x", "=", "v"],
      ],
    ],
    [
      "{'a'='1', `b`!=`2`}",
      [
        ["a", "=", "1"],
        ["b", "!=", "2"],
      ],
    ],
    ["{a='it\\'s \"so\"'}", [["a", "=", 'it\'s "so"']]],
    ['{a="it\'s `so`"}', [["a", "=", "it's `so`"]]],
    ["{a=`\\n\n\"'`}", [["a", "=", "\\n\n\"'"]]],
    ['{a="\\a\\b\\f\\n\\r\\t\\v\\\\\\""}', [["a", "=", '\u0007\b\f\n\r\t\v\\"']]],
    ['{a="\\x61\\141\\u00e9\\U0001f600"}', [["a", "=", "aa\u00e9\u{1f600}"]]],
    ['{a="\\xe2\\x82\\xac\\342\\202\\254"}', [["a", "=", "€€"]]],
    ['{a="{,}#="}', [["a", "=", "{,}#="]]],
    [
      '{a="", b="\u{10000}\ufffd"}',
      [
        ["a", "=", ""],
        ["b", "=", "\u{10000}\ufffd"],
      ],
    ],
  ])("takes %s", (text, expected) => {
    expect(parsed(text)).toEqual(expected);
  });

  test.each<[string, number, RegExp]>([
    ["", 1, /expected a metric name or \{, found the end/],
    ["1m", 1, /expected a metric name/],
    ["{", 2, /expected a label name or \}, found the end/],
    ["{,}", 2, /expected a label name or \}, found ","/],
    ["up{a}", 5, /expected =, !=, =~ or !~, found "\}"/],
    ["up{a=}", 6, /expected a quoted string, found "\}"/],
    ["{a=1}", 4, /expected a quoted string/],
    ['{a=="1"}', 4, /expected a quoted string, found "="/],
    ['{a="1" b="2"}', 8, /expected a comma or \}, found "b"/],
    ['{a="1",,}', 8, /expected a label name/],
    ['{a="1"', 7, /expected a comma or \}, found the end/],
    ['{a="1"} or b', 9, /expected the end of the selector, found "o"/],
    ['{a:b="1"}', 3, /expected =/],
    ['{a="1', 4, /does not end/],
    ['{a="1\n"}', 4, /does not end/],
    ["{a=`1}", 4, /does not end/],
    ['{a="\\q"}', 5, /unknown escape "\\\\q"/],
    ['{a="\\\'"}', 5, /unknown escape/],
    ['{a="\\', 5, /unknown escape/],
    ['{a="\\x6"}', 5, /hex digits/],
    ['{a="\\400"}', 5, /octal/],
    ['{a="\\78"}', 5, /octal/],
    ['{a="\\ud800"}', 5, /no Unicode code point/],
    ['{a="\\U00110000"}', 5, /no Unicode code point/],
    ['{a="\\xff"}', 4, /not UTF-8/],
    ['{""="1"}', 2, /name is not empty/],
    ['{"m"=}', 6, /expected a quoted string/],
    ["é", 1, /found "é"/],
  ])("refuses %j, saying where", (text, place, problem) => {
    const error = refusal(text);
    expect(error.message).toMatch(problem);
    expect(error.message).toContain(`at ${place}: `);
    expect(error.facts).toEqual({ selector: text, offset: place - 1 });
  });

  test("says where an expression stands that is refused, and keeps other failures as they are", () => {
    const error = new TypeError("a bug");
    const broken: RegexpFactory = () => {
      throw error;
    };
    expect(() => parseSelector('{a=~"x"}', { regexp: broken })).toThrow(error);
    expect(() => parseSelector('{a="1",b=~"x"}')).toThrow(/at 11: =~ needs expressions/);
  });

  test("never fails otherwise than with INPUT, whatever it is given", () => {
    const pieces = [
      "{",
      "}",
      '"',
      "'",
      "`",
      "\\",
      ",",
      "=",
      "!",
      "~",
      "a",
      "1",
      "x61",
      "\n",
      " ",
      "#",
      "\ud800",
    ];
    const texts = fc
      .array(fc.constantFrom(...pieces), { maxLength: 20 })
      .map((each) => each.join(""));
    fc.assert(
      fc.property(texts, (text) => {
        try {
          parseSelector(text);
        } catch (error) {
          if (!isStorageError(error, "INPUT")) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("formatSelector", () => {
  test.each([
    ["{}", []],
    ["up", [equal("__name__", "up")]],
    ['up{a!="1"}', [equal("__name__", "up"), notEqual("a", "1")]],
    ['{a="1",__name__="up"}', [equal("a", "1"), equal("__name__", "up")]],
    [
      '{__name__="my.metric","l.x"="\\"\\n"}',
      [equal("__name__", "my.metric"), equal("l.x", '"\n')],
    ],
    ['{__name__=""}', [equal("__name__", "")]],
  ])("writes %s", (text, matchers) => {
    expect(formatSelector(matchers)).toBe(text);
  });

  test("writes what parseSelector reads back, for any names and values", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1 });
    const name = fc.oneof(text, fc.constantFrom("__name__", "a", "a:b", "1"));
    const value = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }));
    const matcher = fc.tuple(fc.constantFrom(equal, notEqual), name, value);
    fc.assert(
      fc.property(fc.array(matcher, { maxLength: 4 }), (given) => {
        const matchers = given.map(([make, label, text]) => make(label, text));
        if (matchers.some((each) => /\p{Surrogate}/u.test(each.name + each.value))) return;
        expect(parsed(formatSelector(matchers))).toEqual(triples(matchers));
      }),
    );
  });
});

test.each(['"', "'", "`"])(
  "reads strings in %s of any length: none is too long for the stack",
  (quote) => {
    const value = "é".repeat(400_000);
    const [matcher] = parseSelector(`{a=${quote}${value}${quote}}`);
    expect(matcher!.value === value).toBe(true);
  },
);
