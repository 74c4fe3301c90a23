import { expect, test, vi } from "vitest";
import { isUlid, makeUlid } from "../src/index.ts";

test("spells the time in the first ten digits, as the specification's example does", () => {
  // Before any other: a ULID never falls behind the one before it.
  expect(makeUlid(0).slice(0, 10)).toBe("0000000000");
  expect(makeUlid(1469918176385).slice(0, 10)).toBe("01ARYZ6S41");
});

test("makes ULIDs that rise within a millisecond, and when the clock goes back", () => {
  const now = 1_800_000_000_000;
  const times = [now, now, now + 1, now - 5000, now + 1, now + 2];
  const made = [...times, ...Array.from({ length: 1000 }, () => now)].map((ms) => makeUlid(ms));
  expect(made.every(isUlid)).toBe(true);
  expect(made.toSorted(new Intl.Collator("en").compare)).toEqual(made);
  expect(new Set(made).size).toBe(made.length);
});

test("takes the clock's time and differs from what another millisecond draws", () => {
  const first = makeUlid(1_900_000_000_000);
  const second = makeUlid(1_900_000_000_001);
  expect(first.slice(10)).not.toBe(second.slice(10));
  expect(makeUlid() > second).toBe(true);
});

test("knows a ULID by 26 upper case digits of Crockford's alphabet that fit 128 bits", () => {
  expect(isUlid("01ARYZ6S41TSV4RRFFQ69G5FAV")).toBe(true);
  expect(isUlid("7ZZZZZZZZZZZZZZZZZZZZZZZZZ")).toBe(true);
  for (const name of [
    "",
    "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
    "01aryz6s41tsv4rrffq69g5fav",
    "01ARYZ6S41TSV4RRFFQ69G5FAI",
    "01ARYZ6S41TSV4RRFFQ69G5FAL",
    "01ARYZ6S41TSV4RRFFQ69G5FAO",
    "01ARYZ6S41TSV4RRFFQ69G5FAU",
    "01ARYZ6S41TSV4RRFFQ69G5FA",
    "01ARYZ6S41TSV4RRFFQ69G5FAVV",
    "01ARYZ6S41TSV4RRFFQ69G5FAV.tmp-for-creation",
    "01ARYZ6S41TSV4RRFFQ69G5FAV\n",
  ]) {
    expect(isUlid(name), JSON.stringify(name)).toBe(false);
  }
});

test.each([Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, -1])(
  "makes a ULID when the first time that a clock tells is %d",
  async (nowMs) => {
    vi.resetModules();
    const fresh = await import("../src/ulid.ts");
    const first = fresh.makeUlid(nowMs);
    expect(isUlid(first)).toBe(true);
    expect(fresh.makeUlid(nowMs) > first).toBe(true);
  },
);
