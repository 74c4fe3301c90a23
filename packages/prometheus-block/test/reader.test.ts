import { simDisk } from "@varve/disk/sim";
import { expect, test } from "vitest";
import { matcher, open, putFiles, readSeries } from "./support/read.ts";
import { VECTOR_ULID, vectorFiles } from "./support/vector.ts";

const DIR = `/data/${VECTOR_ULID}`;

async function openVector() {
  const disk = simDisk();
  putFiles(disk, DIR, vectorFiles());
  return open(disk, DIR);
}

test("reads the smallest block, byte for byte as documented", async () => {
  const block = await openVector();
  const one = "3ff0000000000000";
  const two = "4000000000000000";
  expect(readSeries(block.select([]))).toEqual([
    {
      labels: { __name__: "a", l: "x" },
      times: [1000, 2000, 3000, 4500],
      bits: [one, two, two, "400c000000000000"],
    },
    { labels: { __name__: "a", l: "y" }, times: [1500], bits: ["401c000000000000"] },
  ]);
  expect(block.seriesCount).toBe(2);
  expect(block.labelNames([])).toEqual(["__name__", "l"]);
  expect(block.labelValues("l", [])).toEqual(["x", "y"]);
  expect(block.labelValues("l", [matcher("l", "!=", "x")])).toEqual(["y"]);
  expect([...block.pairCounts("l")]).toEqual([
    { name: "l", value: "x", series: 1 },
    { name: "l", value: "y", series: 1 },
  ]);
  expect([...block.nameCounts()]).toEqual([
    { name: "__name__", values: 1 },
    { name: "l", values: 2 },
  ]);
  block.close();
});
