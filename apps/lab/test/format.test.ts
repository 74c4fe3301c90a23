import { expect, test } from "vitest";
import * as format from "../src/report/format.ts";

test("tells rates by three digits and a prefix", () => {
  expect([0.5, 12, 999, 999.6, 10_500, 999_499, 999_500, 1_234_567].map(format.rate)).toEqual([
    "0.50 /s",
    "12.0 /s",
    "999 /s",
    "1.00 K/s",
    "10.5 K/s",
    "999 K/s",
    "1.00 M/s",
    "1.23 M/s",
  ]);
});

test("tells times in the unit that people read", () => {
  expect([0.044, 0.9999, 1.45, 507_000, 2_100_000].map(format.micros)).toEqual([
    "44.0 ns",
    "1.00 µs",
    "1.45 µs",
    "507 ms",
    "2.10 s",
  ]);
});

test("tells sizes, shares, ratios and durations", () => {
  expect([188, 2110, 1024 ** 3].map(format.bytes)).toEqual(["188 B", "2.06 KiB", "1.00 GiB"]);
  expect([0, 0.004, 0.031, 0.5].map(format.percent)).toEqual(["0 %", "0.4 %", "3 %", "50 %"]);
  expect([0.75, 9.999, 24].map(format.ratio)).toEqual(["0.75x", "10.0x", "24.0x"]);
  expect([10, 40_000, 180_000].map(format.duration)).toEqual(["1 s", "40 s", "3 min"]);
});
