import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { capturePath, countDistinct, detectSeriesFormat, readSeriesFile } from "@varve/workload";
import { describe, expect, test } from "vitest";
import { fileWith } from "./files.ts";

describe("readSeriesFile", () => {
  test.each([
    ['{"a":"b"}', "json"],
    ['\n  { "a\\"b" : "c"}', "json"],
    ["{}", "json"],
    ['{"a":"b",}', "json"],
    ['{"my.metric","l"="v"} 1', "exposition"],
    ["# HELP a b", "exposition"],
    ["up 1", "exposition"],
    ["", "exposition"],
  ])("takes a file that begins with %j for %s", async (text, format) => {
    expect(await detectSeriesFormat(fileWith(text))).toBe(format);
  });

  test("reads either format", async () => {
    expect(await readSeriesFile(fileWith('{"__name__":"up"}'))).toEqual([{ __name__: "up" }]);
    expect(await readSeriesFile(fileWith("up 1\n"))).toEqual([{ __name__: "up" }]);
  });

  test("reads the shipped capture", async () => {
    const sets = await readSeriesFile(capturePath());
    expect(sets.length).toBe(507);
    expect(countDistinct(sets)).toBe(507);
  });
});

/** Public test data that a checkout may have beside it: a folder with 20kseries.json.zst. */
const SHARED =
  process.env["VARVE_SHARED"] ?? fileURLToPath(new URL("../../../../shared/data", import.meta.url));
const SERIES = `${SHARED}/20kseries.json.zst`;

test("reads Prometheus' 20,000 series, packed as they are", async (context) => {
  if (!existsSync(SERIES)) {
    context.skip("20kseries.json.zst is not there: VARVE_SHARED names the folder that holds it");
  }
  const sets = await readSeriesFile(SERIES);
  expect(sets.length).toBe(20_000);
  expect(countDistinct(sets)).toBe(20_000);
  expect(new Set(sets.flatMap((labels) => Object.keys(labels))).size).toBe(85);
});
